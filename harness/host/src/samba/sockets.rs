//! Sockets of the client, announced to the ledger before a DC can see them, and what stands for them
//! where a host has another [medium](crate::Medium).

use std::{
    future::pending,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use ground::{EventId, Trail, Transport};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio_util::either::Either;

use crate::{
    Network,
    medium::{MediumStream, SharedMedium},
};

/// A stream to a server: over the host's medium (left), or a socket (right).
pub(super) type Tcp = Either<Box<dyn MediumStream>, TcpStream>;

/// Asks one server, in datagrams.
#[derive(Debug)]
pub(super) enum Udp {
    /// Over the host's medium.
    Medium {
        medium: SharedMedium,
        peer: SocketAddr,
        cause: Option<EventId>,
        /// What has been sent and not been answered.
        sent: Option<Vec<u8>>,
    },
    /// A socket.
    Socket(UdpSocket),
}

impl Udp {
    /// Sends a question.
    pub(super) async fn send(&mut self, question: &[u8]) -> io::Result<()> {
        match self {
            Self::Medium { sent, .. } => *sent = Some(question.to_vec()),
            Self::Socket(socket) => {
                socket.send(question).await?;
            }
        }
        Ok(())
    }

    /// The next datagram, as much of it as `most`.
    pub(super) async fn recv(&mut self, most: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Medium { medium, peer, cause, sent } => {
                let Some(question) = sent.take() else { return pending().await };
                let mut answer = medium.ask(*peer, *cause, question).await?;
                answer.truncate(most);
                Ok(answer)
            }
            Self::Socket(socket) => {
                // Room that nobody has to fill with zeros.
                let mut datagram = Vec::with_capacity(most);
                socket.recv_buf(&mut datagram).await?;
                Ok(datagram)
            }
        }
    }
}

/// What asks `peer` alone in datagrams. What the peer sees of it is caused by `trail`.
pub(super) async fn udp(peer: SocketAddr, network: &Network, trail: &Trail) -> io::Result<Udp> {
    if let Some(medium) = network.medium.clone() {
        return Ok(Udp::Medium { medium, peer, cause: trail.cause(), sent: None });
    }
    let socket = UdpSocket::bind(local_address(peer, Ipv4Addr::LOCALHOST)).await?;
    socket.connect(peer).await?;
    announce(Transport::Udp, socket.local_addr()?, trail);
    Ok(Udp::Socket(socket))
}

/// A stream to `peer`, on loopback from the host's own address there. What the peer sees of it is
/// caused by `trail`.
pub(super) async fn tcp(peer: SocketAddr, network: &Network, trail: &Trail) -> io::Result<Tcp> {
    if let Some(medium) = &network.medium {
        return medium.connect(peer, trail.cause()).await.map(Tcp::Left);
    }
    let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(local_address(peer, next_address(network.loopback, trail)))?;
    announce(Transport::Tcp, socket.local_addr()?, trail);
    let stream = socket.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(Tcp::Right(stream))
}

/// The address of a connection: where a host has many, the event that leads to it says which.
fn next_address(first: Ipv4Addr, trail: &Trail) -> Ipv4Addr {
    if first == Ipv4Addr::LOCALHOST {
        return first;
    }
    let number = trail.cause().map_or(0, EventId::number).to_be_bytes();
    let [network, host, third, fourth] = first.octets();
    let [.., more_third, more_fourth] = number;
    Ipv4Addr::new(network, host, third ^ more_third, fourth ^ more_fourth)
}

/// Loopback for a peer on loopback, so that the address is known before the connection is.
fn local_address(peer: SocketAddr, loopback: Ipv4Addr) -> SocketAddr {
    let address: IpAddr = match peer.ip() {
        IpAddr::V4(ip) if ip.is_loopback() => loopback.into(),
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(ip) if ip.is_loopback() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(address, 0)
}

/// A peer beyond loopback is a real one, which keeps no ledger.
fn announce(transport: Transport, local: SocketAddr, trail: &Trail) {
    if let Some(cause) = trail.cause().filter(|_| !local.ip().is_unspecified()) {
        trail.ledger().open_flow(transport, local, cause);
    }
}
