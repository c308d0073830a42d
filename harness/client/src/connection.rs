//! A connection to a server, and the one that a session keeps from call to call.

use std::{
    fmt, io,
    mem::MaybeUninit,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ground::{Trail, Transport};
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    ClientError, Encoding, Trust,
    http::{self, Response},
};

/// How long in real time a connection and its handshake may take. For the answer itself a client
/// waits as long as the server works on it.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The connection that a session keeps while nobody calls. Two calls at a time have one each.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<Connection>>>);

impl Kept {
    /// Takes it out, unless the server has closed it meanwhile.
    pub(crate) fn take(&self) -> Option<Connection> {
        self.lock().take().filter(Connection::is_open)
    }

    pub(crate) fn put(&self, connection: Connection) {
        *self.lock() = Some(connection);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        // Consistent after every statement under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// TCP, with TLS or without.
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Under TLS with `trust`, asking for `server_name` by SNI.
    pub(crate) async fn open(
        address: SocketAddr,
        trust: Option<&Trust>,
        server_name: Option<&str>,
        trail: &Trail,
    ) -> Result<Self, ClientError> {
        let late = |_| ClientError::from(io::Error::from(io::ErrorKind::TimedOut));
        let connected = tokio::time::timeout(CONNECT_LIMIT, connect(address, trail));
        let stream = connected.await.map_err(late)??;
        let Some(trust) = trust else {
            return Ok(Self::Plain(stream));
        };
        let mut config = trust.configuration().map_err(ClientError::tls)?;
        config.enable_sni = server_name.is_some();
        // Without SNI the name is told to nobody.
        let name = server_name.unwrap_or("localhost").to_owned();
        let name = ServerName::try_from(name).map_err(ClientError::tls)?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let handshake = tokio::time::timeout(CONNECT_LIMIT, handshake);
        let stream = handshake.await.map_err(late)?.map_err(ClientError::of_handshake)?;
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Sends `body` and returns what came for it.
    pub(crate) async fn exchange(
        &mut self,
        host: &str,
        encoding: Encoding,
        body: &str,
    ) -> Result<Response, ClientError> {
        match self {
            Self::Plain(stream) => http::exchange(stream, host, encoding, body).await,
            Self::Tls(stream) => http::exchange(stream, host, encoding, body).await,
        }
    }

    /// What the server records of the next request is caused by what `trail` stands below.
    pub(crate) fn announce(&self, trail: &Trail) -> io::Result<()> {
        let local = self.socket().local_addr()?;
        if let Some(cause) = trail.cause().filter(|_| local.ip().is_loopback()) {
            trail.ledger().open_flow(Transport::Tcp, local, cause);
        }
        Ok(())
    }

    /// Between two calls a server sends nothing but that it closes. Asked of the system itself: a
    /// call that was sent to nobody could not be told from one that was carried out.
    fn is_open(&self) -> bool {
        let peeked = SockRef::from(self.socket()).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

async fn connect(address: SocketAddr, trail: &Trail) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that shares our ledger is on this machine.
    if address.ip().is_loopback()
        && let Some(cause) = trail.cause()
    {
        socket.bind(match address {
            SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, 0).into(),
        })?;
        trail.ledger().open_flow(Transport::Tcp, socket.local_addr()?, cause);
    }
    let stream = socket.connect(address).await?;
    // Without it a request waits until the answer before it is acknowledged.
    stream.set_nodelay(true)?;
    Ok(stream)
}
