//! Listening sockets: bound before anything else is started, so that a port in use is said at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};

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
    pub fn into_iter(self) -> impl Iterator<Item = TcpListener> {
        std::iter::once(self.loopback).chain(self.also)
    }
}
