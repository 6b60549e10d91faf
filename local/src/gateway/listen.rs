//! Listening sockets. They are bound before anything is started, so that a port in use is reported at
//! once.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};

use crate::options::Options;

/// Connections that wait to be accepted. Many parallel requests need many.
const BACKLOG: u32 = 1024;

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program has the port.
    #[error(
        "port {port} on {address} is in use: stop what listens there, or choose another with {option}"
    )]
    InUse {
        /// The port asked for.
        port: u16,
        /// The address it was asked for on.
        address: IpAddr,
        /// The command line option that sets it.
        option: &'static str,
    },
    /// Anything else, such as an address that this machine does not have.
    #[error("cannot listen on {address} ({option}): {source}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// The command line option that sets it.
        option: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// The loopback address, which everything listens on.
pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Opens a listening socket. An error names `option`.
///
/// # Errors
/// When the port is in use or the address is not this machine's.
pub fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, ListenError> {
    bind(address).map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ListenError::InUse {
            port: address.port(),
            address: address.ip(),
            option,
        },
        _ => ListenError::Other {
            address,
            option,
            source,
        },
    })
}

/// Accepted sockets inherit `TCP_NODELAY` from the listening one, so that small answers leave at once.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A stand-in's listeners: one on the loopback address, and one with the same port on the second
/// address if there is one.
#[derive(Debug)]
pub struct StandInListeners {
    /// On 127.0.0.1.
    pub loopback: TcpListener,
    /// On the address of `--also-listen`.
    pub also: Option<TcpListener>,
    /// The loopback one's address.
    pub address: SocketAddr,
}

impl StandInListeners {
    /// Binds them.
    ///
    /// # Errors
    /// As [`listen`].
    pub fn bind(
        port: u16,
        option: &'static str,
        also: Option<IpAddr>,
    ) -> Result<Self, ListenError> {
        let asked = SocketAddr::new(LOOPBACK, port);
        let loopback = listen(asked, option)?;
        let address = loopback.local_addr().map_err(|source| ListenError::Other {
            address: asked,
            option,
            source,
        })?;
        let also = also
            .map(|ip| listen(SocketAddr::new(ip, address.port()), "--also-listen"))
            .transpose()?;
        Ok(Self {
            loopback,
            also,
            address,
        })
    }

    /// Binds them on the port that was asked for, if one was. 0 asks for any free port.
    fn bind_asked(
        asked: Option<u16>,
        option: &'static str,
        also: Option<IpAddr>,
    ) -> Result<Option<Self>, ListenError> {
        let port = asked.filter(|port| *port != 0);
        port.map(|port| Self::bind(port, option, also)).transpose()
    }

    /// Binds them on the `preferred` port if it is free, or else on any free port.
    fn bind_near(
        preferred: Option<u16>,
        option: &'static str,
        also: Option<IpAddr>,
    ) -> Result<Self, ListenError> {
        match preferred.map(|port| Self::bind(port, option, also)) {
            None | Some(Err(ListenError::InUse { .. })) => Self::bind(0, option, also),
            Some(bound) => bound,
        }
    }

    /// The URL that programs on this machine use.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All of them.
    pub fn into_all(self) -> impl Iterator<Item = TcpListener> {
        std::iter::once(self.loopback).chain(self.also)
    }
}

/// Every listening socket of the service.
#[derive(Debug)]
pub struct Listeners {
    /// The API, on 127.0.0.1 only.
    pub api: TcpListener,
    /// The DynamoDB stand-in, if there is one.
    pub dynamodb: Option<StandInListeners>,
    /// The SES stand-in.
    pub ses: StandInListeners,
    /// The Secrets Manager stand-in.
    pub secrets: StandInListeners,
    /// Lambda's Invoke API.
    pub lambda: StandInListeners,
    /// The EventBridge stand-in.
    pub events: StandInListeners,
    /// Where they can be reached.
    pub urls: Urls,
}

/// Where everything can be reached.
#[derive(Clone, Debug)]
pub struct Urls {
    /// The API.
    pub api: String,
    /// DynamoDB: the stand-in, or another.
    pub dynamodb: String,
    /// The SES stand-in.
    pub ses: String,
    /// The Secrets Manager stand-in.
    pub secrets: String,
    /// Lambda's Invoke API.
    pub lambda: String,
    /// The EventBridge stand-in.
    pub events: String,
}

impl Urls {
    /// The options with which `regain` finds this service: `--local` alone if all ports are the usual
    /// ones.
    #[must_use]
    pub fn operator_options(&self) -> String {
        let api = self
            .api
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let api: u16 = api.unwrap_or(3000);
        let mut options = match api {
            3000 => "--local".to_owned(),
            port => format!("--local={port}"),
        };
        for (distance, service, url) in [
            (1, "dynamodb", &self.dynamodb),
            (2, "ses", &self.ses),
            (3, "secrets", &self.secrets),
            (4, "lambda", &self.lambda),
        ] {
            let port = api.checked_add(distance);
            if port.is_none_or(|port| *url != format!("http://{LOOPBACK}:{port}")) {
                let _ = write!(options, " --endpoint {service}={url}");
            }
        }
        options
    }
}

impl Listeners {
    /// Binds them all.
    ///
    /// # Errors
    /// As [`listen`].
    pub fn bind(options: &Options) -> Result<Self, ListenError> {
        let also = options.also_listen;
        // Ports that were asked for are bound first, so that no other listener takes one of them.
        let asked = StandInListeners::bind_asked;
        let api = asked(Some(options.port), "--port", None)?;
        let dynamodb = asked(options.dynamodb_port, "--dynamodb-port", also)?;
        let ses = asked(options.ses_port, "--ses-port", also)?;
        let secrets = asked(options.secrets_port, "--secrets-port", also)?;
        let lambda = asked(options.lambda_port, "--lambda-port", also)?;
        // If the API may have any free port, so may the rest: several services can run at a time.
        let near = |bound: Option<StandInListeners>, asked: Option<u16>, distance, option| {
            let preferred = match (asked, options.port) {
                (Some(_), _) | (None, 0) => None,
                (None, api) => api.checked_add(distance),
            };
            bound.map_or_else(|| StandInListeners::bind_near(preferred, option, also), Ok)
        };
        let api = api.map_or_else(|| StandInListeners::bind(0, "--port", None), Ok)?;
        let (dynamodb, dynamodb_url) = if let Some(url) = &options.dynamodb_url {
            (None, url.clone())
        } else {
            let stand_in = near(dynamodb, options.dynamodb_port, 1, "--dynamodb-port")?;
            let url = stand_in.url();
            (Some(stand_in), url)
        };
        let ses = near(ses, options.ses_port, 2, "--ses-port")?;
        let secrets = near(secrets, options.secrets_port, 3, "--secrets-port")?;
        let lambda = near(lambda, options.lambda_port, 4, "--lambda-port")?;
        // Only the functions call it, so any port will do.
        let events = StandInListeners::bind(0, "any free port", also)?;
        let urls = Urls {
            api: api.url(),
            dynamodb: dynamodb_url,
            ses: ses.url(),
            secrets: secrets.url(),
            lambda: lambda.url(),
            events: events.url(),
        };
        Ok(Self {
            api: api.loopback,
            dynamodb,
            ses,
            secrets,
            lambda,
            events,
            urls,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rand::RngExt as _;

    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_reported_in_one_sentence() {
        let taken = listen((LOOPBACK, 0).into(), "--port").unwrap();
        let address = taken.local_addr().unwrap();
        let refused = listen(address, "--port").unwrap_err().to_string();
        let port = address.port();
        let sentence = "is in use: stop what listens there, or choose another with --port";
        assert_eq!(refused, format!("port {port} on 127.0.0.1 {sentence}"));
    }

    /// Five free ports in a row. They are below those that the system gives to whoever asks for any port, so
    /// that they stay free.
    fn five_free_ports() -> u16 {
        let mut rng = regain::ambient::rng().unwrap();
        loop {
            let port = rng.random_range(10_000..16_000);
            let is_free = |port| std::net::TcpListener::bind((LOOPBACK, port)).is_ok();
            if (port..port + 5).all(is_free) {
                return port;
            }
        }
    }

    fn bound(arguments: &[&str]) -> Result<Listeners, ListenError> {
        Listeners::bind(&Options::parse_from([&["local"], arguments].concat()))
    }

    #[tokio::test]
    async fn the_stand_ins_have_the_ports_after_the_apis_or_any_free_one() {
        let api = five_free_ports();
        let url = |distance| format!("http://127.0.0.1:{}", api + distance);
        let port = api.to_string();
        let alone = bound(&["--port", &port]).unwrap();
        let Urls {
            dynamodb,
            ses,
            secrets,
            lambda,
            ..
        } = &alone.urls;
        let urls = [dynamodb, ses, secrets, lambda];
        assert_eq!(urls, [&url(1), &url(2), &url(3), &url(4)]);
        assert_eq!(alone.urls.operator_options(), format!("--local={api}"));
        drop(alone);

        let taken = listen((LOOPBACK, api + 2).into(), "any").unwrap();
        let moved = bound(&["--port", &port]).unwrap().urls;
        assert_eq!((&moved.dynamodb, &moved.secrets), (&url(1), &url(3)));
        assert_ne!(moved.ses, url(2));
        let expected = format!("--local={api} --endpoint ses={}", moved.ses);
        assert_eq!(moved.operator_options(), expected);
        let asked = (api + 2).to_string();
        let refused = bound(&["--port", &port, "--ses-port", &asked]).unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with("choose another with --ses-port")
        );
        drop(taken);
    }

    #[tokio::test]
    async fn a_port_that_is_asked_for_is_not_taken_by_another_stand_in() {
        for (option, distance) in [
            ("--dynamodb-port", 2),
            ("--dynamodb-port", 3),
            ("--ses-port", 1),
            ("--ses-port", 3),
            ("--secrets-port", 1),
            ("--secrets-port", 2),
            ("--secrets-port", 4),
            ("--lambda-port", 1),
            ("--lambda-port", 2),
            ("--lambda-port", 3),
        ] {
            let api = five_free_ports();
            let (port, asked) = (api.to_string(), api + distance);
            let urls = bound(&["--port", &port, option, &asked.to_string()]);
            let urls = urls.unwrap().urls;
            let url = |distance| format!("http://127.0.0.1:{}", api + distance);
            for (own, preferred, found) in [
                ("--dynamodb-port", 1, &urls.dynamodb),
                ("--ses-port", 2, &urls.ses),
                ("--secrets-port", 3, &urls.secrets),
                ("--lambda-port", 4, &urls.lambda),
            ] {
                if own == option {
                    assert_eq!(*found, url(distance), "{option} {asked}");
                } else if preferred == distance {
                    assert_ne!(*found, url(distance), "{option} {asked}: on any free one");
                } else {
                    assert_eq!(*found, url(preferred), "{option} {asked}");
                }
            }
        }
    }

    #[tokio::test]
    async fn any_port_for_the_api_is_any_port_for_the_stand_ins() {
        let urls: Vec<_> = (0..3).map(|_| bound(&["--port", "0"]).unwrap()).collect();
        assert_eq!(urls.len(), 3);
    }

    #[tokio::test]
    async fn a_stand_in_has_the_same_port_on_both_addresses() {
        let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let both = StandInListeners::bind(0, "--ses-port", Some(second)).unwrap();
        let also = both.also.as_ref().unwrap().local_addr().unwrap();
        assert_eq!(also, SocketAddr::new(second, both.address.port()));
    }
}
