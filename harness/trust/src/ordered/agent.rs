//! What passes between an appliance and the management server: commands in CloudStack's JSON, each
//! behind its length, over TLS.
//!
//! As in CloudStack before 4.11, the appliance does not look at the certificate of the management
//! server (`Link.initSSLContext` of 4.4: `TrustAllManager`); nor does either end log a message. The
//! header of CloudStack's frames is left out.

use std::{io, net::SocketAddr, sync::Arc};

use ground::{Secret, Trail};
use rustls::{
    ClientConfig, Error as TlsError, ServerConfig,
    client::danger::{ServerCertVerified, ServerCertVerifier},
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
        pem::PemObject as _,
    },
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{ServerCertificate, web::PATIENCE};
use crate::wire::{ChecksPossession, connect, in_time, provider, signatures_by_possession};

/// Bytes of a message: ten certificates and a key, with room.
const MESSAGE_MAX: u32 = 1 << 20;

/// A command or the answer to one.
#[derive(Serialize, Deserialize)]
pub(super) enum Message {
    #[serde(rename = "com.cloud.agent.api.StartupSecondaryStorageCommand")]
    StartupStorage { name: String },
    #[serde(rename = "com.cloud.agent.api.StartupProxyCommand")]
    StartupConsole { name: String },
    #[serde(rename = "com.cloud.agent.api.SecStorageSetupCommand")]
    SetUp { certs: Option<Certificates> },
    #[serde(rename = "com.cloud.agent.api.Answer")]
    Answer { result: bool, details: Option<String> },
}

/// All that an appliance needs, with CloudStack's names. `Debug` is not implemented: a message is
/// never logged.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificates {
    pub(super) priv_key: Secret,
    pub(super) priv_cert: String,
    pub(super) cert_chain: Option<String>,
    #[serde(rename = "rootCACert")]
    pub(super) root_ca_cert: Option<String>,
}

impl Certificates {
    pub(super) fn count(&self) -> usize {
        let chain = self.cert_chain.as_deref().unwrap_or_default();
        1 + chain.matches("-----BEGIN CERTIFICATE-----").count()
    }
}

/// The chain goes from the root to the last intermediate, as CloudStack's page on the upload has it. Its code of 4.4
/// turns it round (`KeystoreManagerImpl.getCertificates`), which clients that judge by RFC 5246 like better.
impl From<ServerCertificate> for Certificates {
    fn from(found: ServerCertificate) -> Self {
        let chain: Vec<&str> = found.chain.iter().map(|link| link.trim_end()).collect();
        Self {
            priv_key: found.key,
            priv_cert: found.certificate,
            cert_chain: (!chain.is_empty()).then(|| chain.join("\n") + "\n"),
            root_ca_cert: found.chain.into_iter().next(),
        }
    }
}

/// What an appliance holds of its management server while it runs.
pub(super) type Session = TlsStream<TcpStream>;

/// Reports to the management server, and takes the set-up message that follows.
pub(super) async fn report(
    management: SocketAddr,
    startup: &Message,
    trail: &Trail,
) -> io::Result<(Session, Option<Certificates>)> {
    let conversation = async {
        let tcp = connect(management, trail).await?;
        let connector = TlsConnector::from(Arc::new(trusting_config()?));
        let mut session = connector.connect(ServerName::from(management.ip()), tcp).await?;
        send(&mut session, startup).await?;
        match receive(&mut session).await? {
            Some(Message::SetUp { certs }) => Ok((session, certs)),
            _ => Err(invalid("the management server sends no set-up message")),
        }
    };
    in_time(PATIENCE, conversation).await
}

pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &Message,
) -> io::Result<()> {
    let text = serde_json::to_vec(&[message])?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&text).await?;
    stream.flush().await
}

/// The next message; `None` if the other end has closed.
pub(super) async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Message>> {
    let length = match stream.read_u32().await {
        Ok(length) if length > MESSAGE_MAX => {
            return Err(invalid(format!(
                "a message of {length} bytes; {MESSAGE_MAX} are the limit"
            )));
        }
        Ok(length) => length,
        // Whoever goes away need not say goodbye.
        Err(_) => return Ok(None),
    };
    let mut text = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact(&mut text).await?;
    // What serde says could quote the message.
    let messages: Result<[Message; 1], _> = serde_json::from_slice(&text);
    let [message] = messages.map_err(|_| invalid("this is no command"))?;
    Ok(Some(message))
}

/// Keeps a session for as long as both ends run.
pub(super) fn keep(mut session: Session) -> JoinSet<()> {
    let mut keeper = JoinSet::new();
    keeper.spawn(async move { while let Ok(Some(_)) = receive(&mut session).await {} });
    keeper
}

/// A server that shows these certificates, in this order, whatever they are.
pub(super) fn server_config(shown: &str, key: &Secret) -> io::Result<ServerConfig> {
    let shown: Vec<_> = CertificateDer::pem_slice_iter(shown.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(format!("a certificate cannot be used: {error}")))?;
    let unusable = |_| invalid("the private key cannot be used");
    let key = PrivatePkcs8KeyDer::from_pem_slice(key.expose().as_bytes()).map_err(unusable)?;
    ServerConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(shown, PrivateKeyDer::from(key))
        .map_err(|error| invalid(format!("certificate and key cannot be used: {error}")))
}

/// The client of an appliance that reports to its management server.
pub(super) fn trusting_config() -> io::Result<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustsAll))
        .with_no_client_auth();
    Ok(config)
}

fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

/// CloudStack's agent before 4.11.
#[derive(Debug)]
struct TrustsAll;

impl ChecksPossession for TrustsAll {}

impl ServerCertVerifier for TrustsAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    signatures_by_possession!();
}
