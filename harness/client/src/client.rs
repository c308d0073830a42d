//! Calls over real TCP and TLS, with a connection for each.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ground::{Secret, Trail, Transport};
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::{
    Answer, ApiError, Encoding, Malformed, Request, Trust, Value, http, json_rpc, xml_rpc,
};

/// Bytes of an answer that are taken.
pub const ANSWER_MAX: usize = 64 * 1024 * 1024;
/// How long in real time a connection and its handshake may take. For the answer itself a client
/// waits as long as the server works on it.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A client of a host's service. Cheap to clone.
///
/// It speaks XML-RPC, as hosts do among each other, and plain HTTP until [`Client::tls`].
///
/// ```
/// # async fn example(trail: ground::Trail) -> Result<(), xenapi_client::CallError> {
/// use ground::Secret;
/// use xenapi_client::{Client, Trust, Value};
///
/// let client = Client::new("192.0.2.7:443".parse().expect("an address")).tls(Trust::Nothing);
/// let session = client.log_in("root", &Secret::new("xenroot"), "client", &trail).await?;
/// let pools = session.call("pool.get_all", &[], &trail).await?;
/// session.log_out(&trail).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    name: String,
    trust: Option<Trust>,
    server_name: Option<String>,
    encoding: Encoding,
}

impl Client {
    /// A client of the service that listens there.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            name: address.to_string(),
            trust: None,
            server_name: None,
            encoding: Encoding::XmlRpc,
        }
    }

    /// Under TLS, with a peer that is believed so.
    #[must_use]
    pub fn tls(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    /// Asks for a certificate by SNI: `pool` is xapi's word for the internal one of a host.
    #[must_use]
    pub fn server_name(self, name: impl Into<String>) -> Self {
        Self { server_name: Some(name.into()), ..self }
    }

    /// What the host is called in requests, where that is not its address.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// In another encoding.
    #[must_use]
    pub fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// Sends a method with all its parameters, the session among them. What the server records is
    /// caused by what `trail` stands below.
    ///
    /// # Errors
    ///
    /// There was no answer, or none that can be read. What the server says of the call itself,
    /// failures included, is the value.
    pub async fn call(
        &self,
        method: &str,
        params: Vec<Value>,
        trail: &Trail,
    ) -> Result<Answer, ClientError> {
        let request = Request { method: method.to_owned(), params };
        Ok(match self.encoding {
            Encoding::JsonRpc => {
                let body = self.post(&json_rpc::write_request(&request), trail).await?;
                json_rpc::read_answer(&body)?
            }
            Encoding::XmlRpc => {
                let body = self.post(&xml_rpc::write_request(&request), trail).await?;
                xml_rpc::read_answer(&body)?
            }
        })
    }

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// The server refused, or there was no answer.
    pub async fn log_in(
        &self,
        user: &str,
        password: &Secret,
        originator: &str,
        trail: &Trail,
    ) -> Result<Session, CallError> {
        let version = "1.1";
        let params = [user, password.expose(), version, originator].map(Value::text).to_vec();
        let reference = self.call("session.login_with_password", params, trail).await??;
        let reference = reference.as_text().ok_or(Malformed::Member { name: "Value" });
        let reference = Secret::new(reference.map_err(ClientError::from)?);
        Ok(Session { client: self.clone(), reference })
    }

    /// A session that somebody has opened.
    pub fn session(&self, reference: Secret) -> Session {
        Session { client: self.clone(), reference }
    }

    async fn post(&self, body: &str, trail: &Trail) -> Result<Vec<u8>, ClientError> {
        let late = |_| ClientError::from(io::Error::from(io::ErrorKind::TimedOut));
        let connected = tokio::time::timeout(CONNECT_LIMIT, self.connect(trail));
        let stream = connected.await.map_err(late)??;
        let Some(trust) = &self.trust else {
            return http::exchange(stream, &self.name, self.encoding, body).await;
        };
        let mut config = trust.configuration().map_err(ClientError::tls)?;
        config.enable_sni = self.server_name.is_some();
        // Without SNI the name is told to nobody.
        let name = self.server_name.as_deref().unwrap_or("localhost").to_owned();
        let name = ServerName::try_from(name).map_err(ClientError::tls)?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let handshake = tokio::time::timeout(CONNECT_LIMIT, handshake);
        let stream = handshake.await.map_err(late)?.map_err(ClientError::of_handshake)?;
        http::exchange(stream, &self.name, self.encoding, body).await
    }

    async fn connect(&self, trail: &Trail) -> io::Result<TcpStream> {
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A server that shares our ledger is on this machine.
        if self.address.ip().is_loopback()
            && let Some(cause) = trail.cause()
        {
            socket.bind(match self.address {
                SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 0).into(),
                SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, 0).into(),
            })?;
            trail.ledger().open_flow(Transport::Tcp, socket.local_addr()?, cause);
        }
        socket.connect(self.address).await
    }
}

/// A session on a server. It is not logged out when dropped.
#[derive(Clone, Debug)]
pub struct Session {
    client: Client,
    reference: Secret,
}

impl Session {
    /// Calls a method with the parameters that follow the session.
    ///
    /// # Errors
    ///
    /// The call failed, or there was no answer.
    pub async fn call(
        &self,
        method: &str,
        params: &[Value],
        trail: &Trail,
    ) -> Result<Value, CallError> {
        let session = Value::text(self.reference.expose());
        let params = [std::slice::from_ref(&session), params].concat();
        Ok(self.client.call(method, params, trail).await??)
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// The call failed, or there was no answer.
    pub async fn log_out(self, trail: &Trail) -> Result<(), CallError> {
        self.call("session.logout", &[], trail).await.map(drop)
    }

    /// For a call that takes the reference of a session as a parameter.
    pub fn reference(&self) -> &Secret {
        &self.reference
    }

    /// Through which it was opened.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// A call in a session came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server says so.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Nobody says anything that can be read.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A client got no answer, or none that can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The answer is shorter than it says.
    #[error("the connection ended in the middle of the answer")]
    Cut,
    /// The connection failed: refused, reset, or not in time.
    #[error("the server cannot be talked to: {0}")]
    Io(#[from] io::Error),
    /// The answer is too long.
    #[error("the answer has more than {ANSWER_MAX} bytes")]
    Long,
    /// HTTP, but no answer of XenAPI.
    #[error("the answer is none of XenAPI: {0}")]
    Malformed(#[from] Malformed),
    /// No HTTP.
    #[error("what answers there does not speak HTTP")]
    NoHttp,
    /// The request was refused before anybody looked at the call.
    #[error("the server answered with HTTP status {status}")]
    Status {
        /// The number.
        status: String,
    },
    /// No TLS came about.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What rustls says.
        reason: String,
    },
    /// The peer shows a certificate that [`Trust`] does not allow.
    #[error("the server shows another certificate than the expected one")]
    Untrusted,
}

impl ClientError {
    fn tls(reason: impl std::fmt::Display) -> Self {
        Self::Tls { reason: reason.to_string() }
    }

    fn of_handshake(error: io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(
                rustls::CertificateError::ApplicationVerificationFailure,
            )) => Self::Untrusted,
            Some(tls) => Self::tls(tls),
            None => Self::Io(error),
        }
    }
}
