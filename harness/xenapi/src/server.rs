//! HTTP on a loopback port, with TLS or without (xenapi-wire.md §1).
//!
//! hyper without a framework: there are three routes, and whoever stops the service must be able
//! to end its connections, which frameworks keep to themselves.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use ground::{EventId, Trail, Transport};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderValue,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use sim_host::Pool;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use xenapi_client::{Answer, Encoding, json_rpc, xml_rpc};

use crate::{
    ServeError,
    service::Service,
    tls::{self, Stream},
};

/// Bytes of a request body, unless [`Options`] say otherwise: xapi's limit.
pub const BODY_MAX: usize = 300 * 1024;
/// Connections at a time. A client beyond it waits until another goes.
pub const CONNECTIONS_MAX: usize = 512;

/// A client that may be sent to the coordinator asks for the coordinator's certificate,
const THUMBPRINT_WANTED: &str = "x-xenapi-request-host-certificate-thumbprint";
/// and learns its fingerprint, written as in the record.
const THUMBPRINT: &str = "x-xenapi-response-host-certificate-thumbprint";

/// How to serve a pool.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where requests are recorded. One from a flow that was announced in this ledger is caused by
    /// what caused the flow.
    pub trail: Trail,
    /// Bytes of a request body.
    pub body_max: usize,
    /// The host that serves; `None` is the coordinator. A member sends clients there.
    pub host: Option<String>,
}

impl Options {
    /// A loopback port of the system's choice, and xapi's limits.
    pub fn new(trail: Trail) -> Self {
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        Self { listen, trail, body_max: BODY_MAX, host: None }
    }
}

/// Serves a pool, as one of its hosts does, until [`Server::stop`] is called or the server dropped.
///
/// ```
/// # async fn example(pool: std::sync::Arc<sim_host::Pool>, ledger: ground::Ledger)
/// # -> Result<(), xenapi_wire::ServeError> {
/// use ground::Actor;
/// use xenapi_wire::{Options, serve};
///
/// let trail = ledger.trail(Actor::Runner);
/// let server = serve(pool, Options::new(trail)).await?;
/// let url = format!("http://{}/", server.address()); // for XenAPI.Session(url)
/// server.stop().await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The port is not to be had, or the pool has no such host.
pub async fn serve(pool: Arc<Pool>, options: Options) -> Result<Server, ServeError> {
    let Options { listen, trail, body_max, host } = options;
    let host = match host {
        Some(name) => pool.host(&name).ok_or(ServeError::UnknownHost { name })?,
        None => Arc::clone(pool.hosts().first().expect("no pool is created without hosts")),
    };
    let failed = |source| ServeError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let service = Arc::new(Service::new(pool, host, &trail));
    let (stop, stopped) = oneshot::channel();
    let handler = Handler { service: Arc::clone(&service), body_max };
    let task = tokio::spawn(accept(listener, handler, stopped));
    Ok(Server { address, service, stop: Some(stop), task })
}

/// A running service. Dropping it closes the port and breaks off what it is doing.
pub struct Server {
    address: SocketAddr,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until every call that has begun has ended, those that go on by themselves among them.
    pub async fn quiet(&self) {
        self.service.quiet().await;
    }

    /// Closes the port and all connections, and waits for the calls that have begun.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // It ends by itself; a panic there has nothing more to close.
        let _ = (&mut self.task).await;
        self.service.finish().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.service.abort();
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Takes connections until `stopped`, and then ends them all.
async fn accept(listener: TcpListener, handler: Handler, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                // A connection that broke before it was taken is the client's affair.
                if let Ok((stream, peer)) = accepted {
                    connections.spawn(handler.clone().converse(stream, peer));
                }
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

#[derive(Clone)]
struct Handler {
    service: Arc<Service>,
    body_max: usize,
}

impl Handler {
    /// Answers the requests of one connection.
    async fn converse(self, stream: TcpStream, peer: SocketAddr) {
        let cause = self.service.trail().ledger().cause_of_flow(Transport::Tcp, peer);
        let handler = &self;
        let respond = service_fn(move |request| async move {
            Ok::<_, Infallible>(handler.respond(request, cause).await)
        });
        // However a connection ends, the client knows.
        let http = http1::Builder::new();
        match tls::open(stream, self.service.host()).await {
            Ok(Stream::Plain(stream)) => {
                let _ = http.serve_connection(TokioIo::new(stream), respond).await;
            }
            Ok(Stream::Tls(stream)) => {
                let _ = http.serve_connection(TokioIo::new(*stream), respond).await;
            }
            Err(_) => {}
        }
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        cause: Option<EventId>,
    ) -> Response<Full<Bytes>> {
        let encoding = match request.uri().path() {
            "/" | "/RPC2" => Encoding::XmlRpc,
            "/jsonrpc" => Encoding::JsonRpc,
            _ => return self.refuse(StatusCode::NOT_FOUND, "no such path", cause),
        };
        if *request.method() == Method::OPTIONS {
            return reply(StatusCode::OK, encoding, String::new());
        }
        if *request.method() != Method::POST {
            return self.refuse(StatusCode::METHOD_NOT_ALLOWED, "only POST is taken", cause);
        }
        let hash = request.headers().get(THUMBPRINT_WANTED).cloned();
        let body = match Limited::new(request.into_body(), self.body_max).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                let text = format!("the body has more than {} bytes", self.body_max);
                return self.refuse(StatusCode::PAYLOAD_TOO_LARGE, &text, cause);
            }
            Err(_) => return self.refuse(StatusCode::BAD_REQUEST, "the body broke off", cause),
        };
        let answered = match encoding {
            Encoding::JsonRpc => match json_rpc::read_request(&body) {
                Ok((envelope, request)) => {
                    let answer = self.service.answer(request, encoding, cause).await;
                    Ok((self.thumbprint(hash, &answer), json_rpc::write_answer(envelope, answer)))
                }
                Err(malformed) => Err(malformed),
            },
            Encoding::XmlRpc => match xml_rpc::read_request(&body) {
                Ok(request) => {
                    let answer = self.service.answer(request, encoding, cause).await;
                    Ok((self.thumbprint(hash, &answer), xml_rpc::write_answer(answer)))
                }
                Err(malformed) => Err(malformed),
            },
        };
        match answered {
            Ok((thumbprint, text)) => {
                let mut response = reply(StatusCode::OK, encoding, text);
                if let Some(thumbprint) = thumbprint {
                    response.headers_mut().insert(THUMBPRINT, thumbprint);
                }
                response
            }
            // What xapi answers could not be confirmed.
            Err(malformed) => self.refuse(StatusCode::BAD_REQUEST, &malformed.to_string(), cause),
        }
    }

    /// Who is sent to the coordinator may ask by which certificate to know it.
    fn thumbprint(&self, hash: Option<HeaderValue>, answer: &Answer) -> Option<HeaderValue> {
        let wanted = hash?;
        let wanted = wanted.to_str().ok()?;
        let is_sent_away = answer.as_ref().is_err_and(|error| error.code == "HOST_IS_SLAVE");
        let certificate = self.service.coordinator_certificate().filter(|_| is_sent_away)?;
        let fingerprint = match wanted {
            "sha-256:master" => certificate.fingerprint_sha256,
            "sha-1:master" => certificate.fingerprint_sha1,
            _ => return None,
        };
        HeaderValue::from_str(&fingerprint).ok()
    }

    fn refuse(
        &self,
        status: StatusCode,
        text: &str,
        cause: Option<EventId>,
    ) -> Response<Full<Bytes>> {
        self.service.note_garbage(status.as_u16(), cause);
        let mut response = Response::new(Full::new(Bytes::from(format!("{text}\n"))));
        *response.status_mut() = status;
        response
    }
}

fn reply(status: StatusCode, encoding: Encoding, text: String) -> Response<Full<Bytes>> {
    let content_type = match encoding {
        Encoding::JsonRpc => "application/json",
        Encoding::XmlRpc => "text/xml",
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "X-Requested-With"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
