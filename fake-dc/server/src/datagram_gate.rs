//! A UDP port that stays ours while it answers or refuses. The counterpart of
//! [`Gate`](crate::gate::Gate) for datagrams.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use ground::Transport;
use socket2::{SockAddr, SockRef, Socket};
use tokio::{io::ReadBuf, net::UdpSocket, runtime::Handle, sync::Notify};

use crate::sockets::SocketSource;

/// A UDP port and what it does with datagrams.
#[derive(Debug)]
pub(crate) struct DatagramGate {
    address: SocketAddr,
    sockets: SocketSource,
    state: Mutex<State>,
    changed: Notify,
    runtime: Handle,
}

#[derive(Debug)]
enum State {
    /// Datagrams are read.
    Open(UdpSocket),
    /// Bound, and connected to itself: the kernel answers datagrams from anybody else with "port
    /// unreachable", as if no process listened.
    Refuse(#[expect(dead_code, reason = "held to keep the port")] Socket),
    Closed,
}

impl DatagramGate {
    /// Opens `address`. Must be called within a tokio runtime.
    pub(crate) fn open(address: SocketAddr, sockets: &SocketSource) -> io::Result<Self> {
        let socket = sockets.make(address, Transport::Udp)?;
        socket.bind(&SockAddr::from(address))?;
        // From here on our own sockets, and only ours, may share the port.
        socket.set_reuse_port(true)?;
        let state = Mutex::new(State::Open(to_tokio(socket)?));
        let (sockets, changed, runtime) = (sockets.clone(), Notify::new(), Handle::current());
        Ok(Self { address, sockets, state, changed, runtime })
    }

    /// The port of a DC that has no sockets. Must be called within a tokio runtime.
    pub(crate) fn none(address: SocketAddr) -> Self {
        Self {
            address,
            sockets: SocketSource::here(),
            state: Mutex::new(State::Closed),
            changed: Notify::new(),
            runtime: Handle::current(),
        }
    }

    /// Reads datagrams from now on, or refuses them.
    pub(crate) fn set_refusing(&self, refusing: bool) -> io::Result<()> {
        let mut state = self.lock();
        match (&*state, refusing) {
            (State::Open(_), false) | (State::Refuse(_), true) | (State::Closed, _) => {
                return Ok(());
            }
            (State::Open(_), true) | (State::Refuse(_), false) => {}
        }
        // Bound beside the old socket, so that the port is never free.
        let socket = self.sockets.make(self.address, Transport::Udp)?;
        socket.set_reuse_port(true)?;
        socket.bind(&SockAddr::from(self.address))?;
        if let State::Open(former) = &*state {
            // A process that another thread is starting holds a copy until it runs its program: from now on it gets
            // nothing that is for the new socket.
            SockRef::from(former).connect(&SockAddr::from(self.address))?;
        }
        *state = if refusing {
            socket.connect(&SockAddr::from(self.address))?;
            State::Refuse(socket)
        } else {
            let _runtime = self.runtime.enter();
            State::Open(to_tokio(socket)?)
        };
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Gives the port back. Nothing reopens it.
    pub(crate) fn close(&self) {
        *self.lock() = State::Closed;
        self.changed.notify_waiters();
    }

    /// The next datagram. Waits while the port is not open.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            let changed = self.changed.notified();
            tokio::select! {
                received = poll_fn(|cx| self.poll_receive(cx, buffer)) => return received,
                () = changed => {}
            }
        }
    }

    /// Sends a datagram, if the port is open and the kernel has room for it.
    pub(crate) fn send(&self, datagram: &[u8], to: SocketAddr) {
        if let State::Open(socket) = &*self.lock() {
            // The client may have gone; a full buffer loses a datagram, as any network may.
            let _ = socket.try_send_to(datagram, to);
        }
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let State::Open(socket) = &*self.lock() else { return Poll::Pending };
        let mut buffer = ReadBuf::new(buffer);
        socket.poll_recv_from(cx, &mut buffer).map_ok(|from| (buffer.filled().len(), from))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_tokio(socket: Socket) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket as StdSocket;

    use super::*;

    /// What becomes of a datagram sent to `to`: the kernel's refusal comes with the next receive.
    fn knock(to: SocketAddr) -> io::Result<()> {
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        client.connect(to).unwrap();
        client.send(b"ping").unwrap();
        client.set_nonblocking(true).unwrap();
        match client.recv(&mut [0; 8]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other.map(drop),
        }
    }

    #[tokio::test]
    async fn a_gate_refuses_and_opens_again_on_the_same_port() {
        let free = StdSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let gate = DatagramGate::open(free, &SocketSource::here()).unwrap();
        knock(free).unwrap();
        assert_eq!(gate.receive(&mut [0; 8]).await.unwrap().0, 4);

        gate.set_refusing(true).unwrap();
        assert_eq!(knock(free).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(StdSocket::bind(free).is_err(), "the port must stay ours");

        gate.set_refusing(false).unwrap();
        knock(free).unwrap();
        assert_eq!(gate.receive(&mut [0; 8]).await.unwrap().0, 4);

        gate.close();
        assert_eq!(knock(free).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
