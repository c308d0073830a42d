//! A TCP port that stays ours while it is open, refuses, or swallows.
//!
//! The port is bound once and never given back before the end, so that another process cannot
//! take it while a fault keeps it closed. A change takes effect before [`Gate::set`] returns:
//! whoever connects afterwards meets the new state.

use std::{
    future::poll_fn,
    io,
    net::{Shutdown, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use ground::Transport;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, retry_on_intr},
};
use socket2::{SockAddr, SockRef, Socket};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Notify,
};

use crate::{limits, sockets::SocketSource};

/// A port and what it does with whoever connects.
#[derive(Debug)]
pub(crate) struct Gate {
    address: SocketAddr,
    sockets: SocketSource,
    state: Mutex<State>,
    changed: Notify,
    runtime: Handle,
}

/// What a port does with whoever connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Takes the connection.
    #[default]
    Open,
    /// Answers the SYN with a reset, as a port does that no process listens on.
    Refuse,
    /// Drops the SYN, as a packet filter does.
    Swallow,
}

impl Passage {
    /// This, or `other` if this is open.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::Open { other } else { self }
    }
}

#[derive(Debug)]
enum State {
    Open(TcpListener),
    /// Bound, not listening. Without SO_REUSEADDR, which would let another process bind as well.
    Refuse(#[expect(dead_code, reason = "held to keep the port")] Socket),
    /// A listener with room for one waiting connection, and that connection. The kernel drops
    /// every further SYN.
    Swallow(Socket, #[expect(dead_code, reason = "fills the queue of the listener")] Socket),
    Closed,
}

impl State {
    /// Nobody is let in any more. Closing a listener is not enough: a process that another thread
    /// is starting holds a copy of it until it runs its program, and SYNs would go there, too.
    fn stop_listening(&self) {
        let ended = match self {
            Self::Open(listener) => SockRef::from(listener).shutdown(Shutdown::Both),
            Self::Swallow(listener, _) => listener.shutdown(Shutdown::Both),
            Self::Refuse(_) | Self::Closed => Ok(()),
        };
        debug_assert!(ended.is_ok(), "a listener can always be shut down: {ended:?}");
    }
}

impl Gate {
    /// Opens `address`; port 0 lets the system choose. Must be called within a tokio runtime.
    pub(crate) fn open(address: SocketAddr, sockets: &SocketSource) -> io::Result<Self> {
        let socket = sockets.make(address, Transport::Tcp)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(address))?;
        let address = socket
            .local_addr()?
            .as_socket()
            .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        // From here on our own sockets, and only ours, may share the port. Setting this before
        // `bind` would let a second process take a port that is in use.
        socket.set_reuse_port(true)?;
        Ok(Self {
            address,
            sockets: sockets.clone(),
            state: Mutex::new(State::Open(listen(socket)?)),
            changed: Notify::new(),
            runtime: Handle::current(),
        })
    }

    /// The gate of a DC that has no sockets, which nobody can come to. Must be called within a tokio
    /// runtime.
    pub(crate) fn none(address: SocketAddr) -> Self {
        Self {
            address,
            sockets: SocketSource::here(),
            state: Mutex::new(State::Closed),
            changed: Notify::new(),
            runtime: Handle::current(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the port does. Connections that wait to be accepted are reset.
    pub(crate) fn set(&self, passage: Passage) -> io::Result<()> {
        let mut state = self.lock();
        let unchanged = matches!(
            (&*state, passage),
            (State::Open(_), Passage::Open)
                | (State::Refuse(_), Passage::Refuse)
                | (State::Swallow(..), Passage::Swallow)
                | (State::Closed, _)
        );
        if unchanged {
            return Ok(());
        }
        // Bound beside the old socket, so that the port is never free.
        let socket = self.bind_beside()?;
        state.stop_listening();
        *state = State::Closed;
        *state = match passage {
            Passage::Open => {
                let _runtime = self.runtime.enter();
                socket.set_reuse_address(true)?;
                State::Open(listen(socket)?)
            }
            Passage::Refuse => State::Refuse(socket),
            Passage::Swallow => {
                let filler = self.sockets.make(self.address, Transport::Tcp)?;
                fill_queue(&socket, &filler, self.address)?;
                State::Swallow(socket, filler)
            }
        };
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Gives the port back. Nothing reopens it.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.stop_listening();
        *state = State::Closed;
        drop(state);
        self.changed.notify_waiters();
    }

    /// The next connection. Waits while the port is not open.
    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            let changed = self.changed.notified();
            tokio::select! {
                accepted = poll_fn(|cx| self.poll_accept(cx)) => return accepted,
                () = changed => {}
            }
        }
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        match &*self.lock() {
            State::Open(listener) => listener.poll_accept(cx),
            State::Refuse(_) | State::Swallow(..) | State::Closed => Poll::Pending,
        }
    }

    fn bind_beside(&self) -> io::Result<Socket> {
        let socket = self.sockets.make(self.address, Transport::Tcp)?;
        socket.set_reuse_port(true)?;
        socket.bind(&SockAddr::from(self.address))?;
        Ok(socket)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens with room for one connection and puts `filler` there. A filter on the socket would be simpler, but some
/// kernels let only the privileged attach one.
fn fill_queue(listener: &Socket, filler: &Socket, address: SocketAddr) -> io::Result<()> {
    listener.listen(0)?;
    filler.set_nonblocking(true)?;
    match filler.connect(&SockAddr::from(address)) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error)?,
        Ok(()) | Err(_) => {}
    }
    // `connect` ends when the filler has the SYN-ACK; the queue is full when the listener has the ACK, which
    // on a busy machine is later. A client that came first fills it as well.
    let mut listener = [PollFd::new(listener, PollFlags::IN)];
    match retry_on_intr(|| poll(&mut listener, Some(&FILLER_LIMIT)))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// The kernel completes this connection by itself; it takes microseconds.
const FILLER_LIMIT: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(limits::BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpStream as StdStream, os::fd::AsFd as _, time::Duration};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    fn connect(gate: &Gate) -> io::Result<StdStream> {
        StdStream::connect_timeout(&gate.address(), PATIENCE)
    }

    #[tokio::test]
    async fn a_gate_refuses_swallows_and_opens_again() {
        let gate =
            Gate::open(SocketAddr::from(([127, 0, 0, 1], 0)), &SocketSource::here()).unwrap();
        let _open = connect(&gate).unwrap();

        gate.set(Passage::Refuse).unwrap();
        assert_eq!(connect(&gate).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);

        gate.set(Passage::Swallow).unwrap();
        assert_eq!(connect(&gate).unwrap_err().kind(), io::ErrorKind::TimedOut);

        gate.set(Passage::Open).unwrap();
        let client = connect(&gate).unwrap();
        let (_stream, peer) = gate.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());

        gate.close();
        assert_eq!(connect(&gate).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A process that is being started has copies of all descriptors until it runs its program.
    #[tokio::test]
    async fn a_copy_of_a_listener_lets_nobody_in() {
        let copy_of = |gate: &Gate| match &*gate.lock() {
            State::Open(listener) => listener.as_fd().try_clone_to_owned().unwrap(),
            other => panic!("{other:?}"),
        };
        let gate =
            Gate::open(SocketAddr::from(([127, 0, 0, 1], 0)), &SocketSource::here()).unwrap();
        let _first = copy_of(&gate);
        gate.set(Passage::Refuse).unwrap();
        assert_eq!(connect(&gate).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        gate.set(Passage::Open).unwrap();
        let _second = copy_of(&gate);
        gate.set(Passage::Swallow).unwrap();
        assert_eq!(connect(&gate).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_port_in_use_is_refused() {
        let gate =
            Gate::open(SocketAddr::from(([127, 0, 0, 1], 0)), &SocketSource::here()).unwrap();
        assert_eq!(
            Gate::open(gate.address(), &SocketSource::here()).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
        gate.set(Passage::Refuse).unwrap();
        assert_eq!(
            Gate::open(gate.address(), &SocketSource::here()).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
    }
}
