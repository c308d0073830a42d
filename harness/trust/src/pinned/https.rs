//! "Solution 2": the agent dials the manager over ordinary HTTPS and proves the symmetric key that was
//! made at deployment. No agent has a certificate; the manager's is from any CA, and is validated as
//! browsers do: chain, dates, name.
//!
//! The agent asks for [`PATH`] and to go on with [`PROTOCOL`] (HTTP/1.1 Upgrade). What follows is sealed
//! for the two ends alone, so a proxy that ends HTTPS in front of the manager can pass it on.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ground::{Clock, Trail};
use http_body_util::Empty;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONNECTION, HOST, HeaderValue, UPGRADE},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{
    Agent, Frames, HANDSHAKE_LIMIT, Identity, Link, Manager, PeerName, PinnedError, Serving,
    encoding, serving::Busy,
};
use crate::wire::{Moment, connect_within, provider};

/// Where agents report.
pub const PATH: &str = "/agents";
/// What they go on with.
pub const PROTOCOL: &str = "trustrig-agent";

/// How many agents may have reported without anybody asking for them. One more is sent away.
pub const WAITING_MAX: usize = 16;

/// A manager's HTTPS, and the agents that have come by it.
#[derive(Debug)]
pub struct Reception {
    serving: Serving,
    arrived: mpsc::Receiver<Link>,
}

impl Reception {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// As [`Serving::settled`].
    pub async fn settled(&self) {
        self.serving.settled().await;
    }

    /// The next agent that has proven its key.
    pub async fn next(&mut self) -> Option<Link> {
        self.arrived.recv().await
    }
}

/// An agent that has reported and takes orders, until it is dropped.
#[derive(Debug)]
pub struct Reported {
    _http: Stopped,
    _orders: Stopped,
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(super) struct Stopped(AbortHandle);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What an agent must know to dial a manager over HTTPS.
#[derive(Clone, Debug)]
pub struct Home {
    /// Whom it expects.
    pub manager: PeerName,
    /// Where.
    pub address: SocketAddr,
    /// The name that the certificate must have.
    pub name: String,
    /// Whose signature it must bear.
    pub roots: Vec<CertificateDer<'static>>,
}

impl Manager {
    /// Receives agents over HTTPS, with a certificate of any kind.
    ///
    /// # Errors
    ///
    /// The listener has no address.
    pub fn receive(
        self: &Arc<Self>,
        listener: TcpListener,
        certificate: &Identity,
    ) -> Result<Reception, PinnedError> {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(certificate)));
        let (sender, arrived) = mpsc::channel(WAITING_MAX);
        let manager = Arc::clone(self);
        let serving = Serving::start(listener, move |tcp, busy| {
            let (manager, acceptor, sender) =
                (Arc::clone(&manager), acceptor.clone(), sender.clone());
            async move {
                let trail = manager.party().trail_of(&tcp);
                if let Ok(Ok(tls)) = timeout(HANDSHAKE_LIMIT, acceptor.accept(tcp)).await {
                    let busy = Mutex::new(Some(busy));
                    let proofs = Mutex::new(JoinSet::new());
                    let answer = service_fn(|request| {
                        let (manager, sender) = (Arc::clone(&manager), sender.clone());
                        let busy = busy.lock().unwrap_or_else(PoisonError::into_inner).take();
                        let (response, proof) =
                            answer(request, manager, sender, trail.clone(), busy);
                        if let Some(proof) = proof {
                            proofs.lock().unwrap_or_else(PoisonError::into_inner).spawn(proof);
                        }
                        async { Ok::<_, Infallible>(response) }
                    });
                    // A client that breaks off is nobody's loss.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HANDSHAKE_LIMIT)
                        .serve_connection(TokioIo::new(tls), answer)
                        .with_upgrades()
                        .await;
                    // The conversation has its place in here until it is over.
                    proofs.into_inner().unwrap_or_else(PoisonError::into_inner).join_all().await;
                }
            }
        })?;
        Ok(Reception { serving, arrived })
    }
}

/// What to answer, and what follows on a connection that goes on with [`PROTOCOL`].
fn answer(
    mut request: Request<Incoming>,
    manager: Arc<Manager>,
    sender: mpsc::Sender<Link>,
    trail: Trail,
    busy: Option<Busy>,
) -> (Response<Empty<Bytes>>, Option<impl Future<Output = ()> + Send + 'static>) {
    let mut response = Response::new(Empty::new());
    let wanted = request.headers().get(UPGRADE);
    if request.uri().path() != PATH {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return (response, None);
    }
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
    if wanted.is_none_or(|wanted| wanted != PROTOCOL) {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return (response, None);
    }
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let proof = async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let mut frames = Frames::over(TokioIo::new(upgraded));
        // What fails is in the ledger.
        if let Ok(agent) = manager.check(&mut frames, None, &trail).await {
            let _ = sender.try_send(Manager::link(agent, frames));
        }
        drop(busy);
    };
    (response, Some(proof))
}

impl Agent {
    /// Reports to a manager and takes its orders.
    ///
    /// # Errors
    ///
    /// The manager's certificate does not validate, or one of the two does not know the symmetric key.
    pub async fn report(self: &Arc<Self>, home: &Home) -> Result<Reported, PinnedError> {
        let trail = self.announce(home);
        let (mut frames, http) = upgrade(home, self.clock(), &trail).await?;
        self.prove(&home.manager, &mut frames, &trail).await?;
        let (agent, manager) = (Arc::clone(self), home.manager.clone());
        let orders = tokio::spawn(async move {
            // The manager may leave whenever it wants.
            let _ = agent.obey(&manager, frames, &trail).await;
        });
        Ok(Reported { _http: http, _orders: Stopped(orders.abort_handle()) })
    }
}

/// Dials a manager and goes on with [`PROTOCOL`]; the conversation lasts as long as the task beside it.
pub(super) async fn upgrade(
    home: &Home,
    clock: &Clock,
    trail: &Trail,
) -> Result<(Frames, Stopped), PinnedError> {
    let tls = dial(home, clock, trail).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.map_err(broken)?;
    let http = Stopped(tokio::spawn(connection.with_upgrades()).abort_handle());
    let request = Request::builder()
        .uri(PATH)
        .header(HOST, &home.name)
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, PROTOCOL)
        .body(Empty::<Bytes>::new())
        .map_err(|_| PinnedError::Malformed)?;
    let upgrading = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(PinnedError::Malformed);
        }
        hyper::upgrade::on(response).await.map_err(broken)
    };
    let limit = HANDSHAKE_LIMIT;
    let upgraded = timeout(limit, upgrading).await.map_err(|_| PinnedError::Silent { limit })??;
    Ok((Frames::over(TokioIo::new(upgraded)), http))
}

/// The first message of a manager behind the head of its response.
pub(super) fn first_reply(said: &[u8]) -> Option<encoding::Bytes> {
    let head = said.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let (length, rest) = said.get(head..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    serde_json::from_slice(rest.get(..length)?).ok()
}

/// A server that shows `shown`, and an ordinary client that expects `name` and believes `roots`: how other
/// components of a host are visited, which have nothing to do with pinned keys.
///
/// # Errors
///
/// The client does not believe the server.
pub async fn visit(
    listener: TcpListener,
    shown: &Identity,
    name: &str,
    roots: &[CertificateDer<'static>],
    clock: &Clock,
) -> Result<(), PinnedError> {
    let acceptor = TlsAcceptor::from(Arc::new(server_config(shown)));
    let (name, roots) = (name.to_owned(), roots.to_vec());
    let served = async {
        let (tcp, _) = listener.accept().await?;
        // What the server makes of it is not asked.
        let _ = acceptor.accept(tcp).await;
        io::Result::Ok(())
    };
    let client = async {
        let tcp = TcpStream::connect(listener.local_addr()?).await?;
        ordinary(tcp, &name, &roots, clock).await
    };
    let (served, visited) = tokio::join!(served, client);
    visited.and(Ok(served?))
}

/// TLS as any server speaks it.
fn server_config(certificate: &Identity) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites of TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(certificate.resolver());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

async fn dial(
    home: &Home,
    clock: &Clock,
    trail: &Trail,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, PinnedError> {
    let tcp = connect_within(HANDSHAKE_LIMIT, home.address, trail)
        .await
        .map_err(|source| PinnedError::Connect { address: home.address, source })?;
    ordinary(tcp, &home.name, &home.roots, clock).await
}

/// An ordinary TLS client: chain, dates, name.
async fn ordinary(
    tcp: TcpStream,
    name: &str,
    roots: &[CertificateDer<'static>],
    clock: &Clock,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, PinnedError> {
    let not_trusted =
        |words: String| PinnedError::ServerNotTrusted { name: name.to_owned(), words };
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(|error| not_trusted(error.to_string()))?;
    }
    let time = Arc::new(Moment(clock.now()));
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider()), time)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites of TLS 1.2 and 1.3")
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| not_trusted("this is no name of a server".to_owned()))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(server, tcp);
    match timeout(HANDSHAKE_LIMIT, handshake).await {
        Err(_) => Err(PinnedError::Silent { limit: HANDSHAKE_LIMIT }),
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(reason)) => not_trusted(reason.to_string()),
            _ => PinnedError::of_handshake(error),
        }),
    }
}

fn broken(error: hyper::Error) -> PinnedError {
    PinnedError::from(io::Error::other(error))
}
