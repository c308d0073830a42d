//! Where the sockets of ports come from: this process's network, or another one.
//!
//! On Linux a socket belongs for ever to the network namespace of the thread that made it, whoever
//! binds it later. So a route can have its ports in the namespace of its client.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    sync::Arc,
};

use ground::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::{gate::Gate, limits};

/// Makes sockets for ports. Kept as long as the ports, which need new ones when they refuse, swallow
/// and open again.
#[derive(Clone, Default)]
pub struct SocketSource {
    elsewhere: Option<Arc<Maker>>,
}

type Maker = dyn Fn(Transport) -> io::Result<OwnedFd> + Send + Sync;

impl SocketSource {
    /// Sockets of this process's network.
    pub fn here() -> Self {
        Self::default()
    }

    /// Sockets that `make` makes: IPv4, neither bound nor connected.
    pub fn elsewhere(
        make: impl Fn(Transport) -> io::Result<OwnedFd> + Send + Sync + 'static,
    ) -> Self {
        Self { elsewhere: Some(Arc::new(make)) }
    }

    /// A socket for `address`, not bound yet.
    pub(crate) fn make(&self, address: SocketAddr, transport: Transport) -> io::Result<Socket> {
        if let Some(make) = &self.elsewhere {
            return Ok(make(transport)?.into());
        }
        let (kind, protocol) = match transport {
            Transport::Tcp => (Type::STREAM, Protocol::TCP),
            Transport::Udp => (Type::DGRAM, Protocol::UDP),
        };
        Socket::new(Domain::for_address(address), kind, Some(protocol))
    }

    /// A bound UDP socket. Must be called within a tokio runtime.
    pub(crate) fn datagrams(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = self.make(address, Transport::Udp)?;
        socket.bind(&address.into())?;
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket.into())
    }

    /// Opens one port number for TCP and UDP.
    pub(crate) fn pair<T>(
        &self,
        ip: Ipv4Addr,
        port: u16,
        open_udp: impl Fn(SocketAddr, &Self) -> io::Result<T>,
    ) -> io::Result<(Gate, T)> {
        let mut attempts = limits::PORT_PAIR_ATTEMPTS;
        loop {
            let gate = Gate::open((ip, port).into(), self)?;
            match open_udp(gate.address(), self) {
                Ok(socket) => return Ok((gate, socket)),
                Err(error)
                    if port == 0 && attempts > 0 && error.kind() == io::ErrorKind::AddrInUse =>
                {
                    attempts -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for SocketSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.elsewhere.is_some() { "elsewhere" } else { "here" })
    }
}
