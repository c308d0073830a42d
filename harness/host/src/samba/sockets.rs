//! Sockets of the client, announced to the ledger before a DC can see them, and what stands for them
//! where a host has another [medium](crate::Medium).

use std::{
    future::pending,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use ground::{EventId, Trail, Transport};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream, UdpSocket},
};

use crate::{
    Network,
    medium::{MediumStream, SharedMedium},
};

/// A stream to a server.
#[derive(Debug)]
pub(super) enum Tcp {
    /// Over the host's medium.
    Medium(Box<dyn MediumStream>),
    /// A socket.
    Socket(TcpStream),
}

impl Tcp {
    fn get(&mut self) -> Pin<&mut dyn MediumStream> {
        match self {
            Self::Medium(stream) => Pin::new(stream.as_mut()),
            Self::Socket(socket) => Pin::new(socket),
        }
    }
}

impl From<TcpStream> for Tcp {
    fn from(socket: TcpStream) -> Self {
        Self::Socket(socket)
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get().poll_shutdown(cx)
    }
}

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
        return medium.connect(peer, trail.cause()).await.map(Tcp::Medium);
    }
    let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(local_address(peer, next_address(network.loopback, trail)))?;
    announce(Transport::Tcp, socket.local_addr()?, trail);
    let stream = socket.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(Tcp::Socket(stream))
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
