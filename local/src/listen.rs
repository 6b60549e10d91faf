//! Listening sockets: bound before anything else is started, so that a port in use is said at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};

use crate::options::Options;

/// Connections waiting to be accepted, as many as a storm of parallel requests needs.
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

/// A listening socket; `option` is named if it cannot be had.
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

/// Accepted sockets inherit `TCP_NODELAY` from the listening one: small answers leave at once.
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
}

impl Listeners {
    /// Binds them all.
    ///
    /// # Errors
    /// As [`listen`].
    pub fn bind(options: &Options) -> Result<Self, ListenError> {
        let also = options.also_listen;
        let api = StandInListeners::bind(options.port, "--port", None)?;
        let (dynamodb, dynamodb_url) = if let Some(url) = &options.dynamodb_url {
            (None, url.clone())
        } else {
            let port = options.dynamodb_port;
            let stand_in = StandInListeners::bind(port, "--dynamodb-port", also)?;
            let url = stand_in.url();
            (Some(stand_in), url)
        };
        let ses = StandInListeners::bind(options.ses_port, "--ses-port", also)?;
        let secrets = StandInListeners::bind(options.secrets_port, "--secrets-port", also)?;
        let urls = Urls {
            api: api.url(),
            dynamodb: dynamodb_url,
            ses: ses.url(),
            secrets: secrets.url(),
        };
        Ok(Self {
            api: api.loopback,
            dynamodb,
            ses,
            secrets,
            urls,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_said_in_one_sentence() {
        let taken = listen((LOOPBACK, 0).into(), "--port").unwrap();
        let address = taken.local_addr().unwrap();
        let refused = listen(address, "--port").unwrap_err().to_string();
        let port = address.port();
        let sentence = "is in use: stop what listens there, or choose another with --port";
        assert_eq!(refused, format!("port {port} on 127.0.0.1 {sentence}"));
    }

    #[tokio::test]
    async fn a_stand_in_has_the_same_port_on_both_addresses() {
        let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let both = StandInListeners::bind(0, "--ses-port", Some(second)).unwrap();
        let also = both.also.as_ref().unwrap().local_addr().unwrap();
        assert_eq!(also, SocketAddr::new(second, both.address.port()));
    }
}
