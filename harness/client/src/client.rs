//! Calls over real TCP and TLS, with a connection for each session.

use std::{io, net::SocketAddr};

use ground::{Secret, Trail};

use crate::{
    Answer, ApiError, Encoding, Malformed, Request, Trust, Value,
    connection::{Connection, Kept},
    json_rpc, xml_rpc,
};

/// Bytes of an answer that are taken.
pub const ANSWER_MAX: usize = 64 * 1024 * 1024;

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
        self.call_over(&Kept::default(), method, params, trail).await
    }

    async fn call_over(
        &self,
        kept: &Kept,
        method: &str,
        params: Vec<Value>,
        trail: &Trail,
    ) -> Result<Answer, ClientError> {
        let request = Request { method: method.to_owned(), params };
        Ok(match self.encoding {
            Encoding::JsonRpc => {
                let body = self.post(&json_rpc::write_request(&request), kept, trail).await?;
                json_rpc::read_answer(&body)?
            }
            Encoding::XmlRpc => {
                let body = self.post(&xml_rpc::write_request(&request), kept, trail).await?;
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
        let (kept, method) = (Kept::default(), "session.login_with_password");
        let reference = self.call_over(&kept, method, params, trail).await??;
        let reference = reference.as_text().ok_or(Malformed::Member { name: "Value" });
        let reference = Secret::new(reference.map_err(ClientError::from)?);
        Ok(Session { client: self.clone(), reference, kept })
    }

    /// A session that somebody has opened.
    pub fn session(&self, reference: Secret) -> Session {
        Session { client: self.clone(), reference, kept: Kept::default() }
    }

    /// Over the connection that is kept, or one that is kept from now on.
    async fn post(&self, body: &str, kept: &Kept, trail: &Trail) -> Result<Vec<u8>, ClientError> {
        let mut connection = match kept.take() {
            Some(connection) => {
                connection.announce(trail)?;
                connection
            }
            None => {
                let name = self.server_name.as_deref();
                Connection::open(self.address, self.trust.as_ref(), name, trail).await?
            }
        };
        let response = connection.exchange(&self.name, self.encoding, body).await?;
        if response.keeps_connection {
            kept.put(connection);
        }
        Ok(response.body)
    }
}

/// A session on a server. It is not logged out when dropped.
///
/// It keeps its connection from call to call, if the server does, and opens another one when the
/// server has closed it between two calls. Nothing is sent twice: of a connection that ends while
/// the answer is awaited nobody knows whether the call was carried out.
#[derive(Clone, Debug)]
pub struct Session {
    client: Client,
    reference: Secret,
    kept: Kept,
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
        Ok(self.client.call_over(&self.kept, method, params, trail).await??)
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
    pub(crate) fn tls(reason: impl std::fmt::Display) -> Self {
        Self::Tls { reason: reason.to_string() }
    }

    pub(crate) fn of_handshake(error: io::Error) -> Self {
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
