//! Sockets of the client, announced to the ledger before a DC can see them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use ground::{EventId, Trail, Transport};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::Network;

/// A datagram socket that speaks with `peer` alone. What the peer sees of it is caused by `trail`.
pub(super) async fn udp(peer: SocketAddr, trail: &Trail) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(local_address(peer, Ipv4Addr::LOCALHOST)).await?;
    socket.connect(peer).await?;
    announce(Transport::Udp, socket.local_addr()?, trail);
    Ok(socket)
}

/// A stream to `peer`, on loopback from the host's own address there. What the peer sees of it is
/// caused by `trail`.
pub(super) async fn tcp(
    peer: SocketAddr,
    network: &Network,
    trail: &Trail,
) -> io::Result<TcpStream> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(local_address(peer, next_address(network.loopback, trail)))?;
    announce(Transport::Tcp, socket.local_addr()?, trail);
    let stream = socket.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
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
