//! HTTP of the management server and of appliances, on sockets of this machine: a server that its
//! owner can stop, and a client that judges what it is shown.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ground::{EventId, Ledger, Trail, Transport};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::{
    CertificateError, ClientConfig, Error as TlsError, ServerConfig,
    client::Resumption,
    client::danger::{ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{pkix, reasons::named_by_reason};
use crate::wire::{
    CONNECTIONS_MAX, ChecksPossession, connect, in_time, next_connection, provider,
    signatures_by_possession,
};

/// Bytes of a request body: two parameters of CloudStack's 65,535 characters, URL-encoded.
pub(super) const BODY_MAX: usize = 512 * 1024;
/// Bytes that a client reads.
pub(super) const ANSWER_MAX: u64 = 64 << 20;
/// How long a client waits in real time for a peer of this machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection lasts at most, in real time, whatever passes over it.
const CONVERSATION_MAX: Duration = Duration::from_secs(300);
/// What a record of a handshake begins with; no HTTP method does.
const HANDSHAKE: u8 = 0x16;

/// Which protocol a port speaks.
#[derive(Clone)]
pub(super) enum Door {
    /// HTTPS, and HTTP for those who begin with it.
    Either(Arc<ServerConfig>),
    Plain,
    Tls(Arc<ServerConfig>),
}

/// A request, whole.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Vec<u8>,
    /// What led to it, if somebody of this world sent it.
    pub(super) cause: Option<EventId>,
}

/// An answer, whole.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// For CloudStack's header `X-Description`.
    pub(super) description: Option<String>,
}

impl Reply {
    pub(super) fn text(status: u16, text: &str) -> Self {
        let body = format!("{text}\n").into_bytes();
        Self { status, content_type: "text/plain", body, description: None }
    }
}

/// A running server. Dropping it closes the port and all connections.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves on `listener` what `answer` says.
    pub(super) fn start<A, F>(
        listener: TcpListener,
        door: Door,
        ledger: Ledger,
        answer: A,
    ) -> io::Result<Self>
    where
        A: Fn(Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    _ = &mut stopped => break,
                    Some(_) = connections.join_next() => {}
                    (tcp, peer) = next_connection(|| listener.accept()),
                        if connections.len() < CONNECTIONS_MAX =>
                    {
                        let cause = ledger.cause_of_flow(Transport::Tcp, peer);
                        let conversation = converse(tcp, door.clone(), cause, answer.clone());
                        connections.spawn(timeout(CONVERSATION_MAX, conversation));
                    }
                }
            }
            drop(listener);
            connections.shutdown().await;
        });
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Closes the port and all connections.
    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        // It ends by itself; a panic there has nothing more to close.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one connection. Who is silent is let go: before its first byte, in its handshake, in a
/// request, or between two, after [`PATIENCE`] each.
async fn converse<A, F>(tcp: TcpStream, door: Door, cause: Option<EventId>, answer: A)
where
    A: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send,
{
    let config = match door {
        Door::Plain => None,
        Door::Tls(config) => Some(config),
        Door::Either(config) => {
            let mut first = [0];
            match timeout(PATIENCE, tcp.peek(&mut first)).await {
                Ok(Ok(1)) if first == [HANDSHAKE] => Some(config),
                Ok(Ok(1)) => None,
                _ => return,
            }
        }
    };
    let Some(config) = config else { return http(tcp, cause, answer).await };
    // However a handshake fails, the client knows.
    if let Ok(Ok(stream)) = timeout(PATIENCE, TlsAcceptor::from(config).accept(tcp)).await {
        http(stream, cause, answer).await;
    }
}

async fn http<A, F>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    cause: Option<EventId>,
    answer: A,
) where
    A: Fn(Request) -> F + Send + Sync,
    F: Future<Output = Reply> + Send,
{
    let answer = &answer;
    let respond = service_fn(move |request: hyper::Request<Incoming>| async move {
        Ok::<_, Infallible>(match whole(request, cause).await {
            Ok(request) => response(answer(request).await),
            Err(refused) => response(refused),
        })
    });
    // However a connection ends, the client knows.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), respond)
        .await;
}

async fn whole(
    request: hyper::Request<Incoming>,
    cause: Option<EventId>,
) -> Result<Request, Reply> {
    let (head, body) = request.into_parts();
    let body = match timeout(PATIENCE, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Reply::text(413, &format!("the body has more than {BODY_MAX} bytes")));
        }
        Ok(Err(_)) => return Err(Reply::text(400, "the body broke off")),
        Err(_) => return Err(Reply::text(408, "the body does not come")),
    };
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    Ok(Request { method: head.method, path, query, body, cause })
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let description = reply.description.and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(description) = description {
        headers.insert(HeaderName::from_static("x-description"), description);
    }
    response
}

/// What keeps a file from being fetched, but for Java's judgement of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Obstacle {
    ConnectionFailed,
    FilesUnusable,
    HttpStatus,
    NameUnknown,
    NoAppliance,
    OpensslRefused,
}

named_by_reason!(pub(super) Obstacle {
    Self::ConnectionFailed => "connection-failed",
    Self::FilesUnusable => "files-unusable",
    Self::HttpStatus => "http-status",
    Self::NameUnknown => "name-unknown",
    Self::NoAppliance => "no-appliance",
    Self::OpensslRefused => "openssl-refused",
});

/// Why a file was not fetched, as a name and in the words of whoever refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) reason: &'static str,
    pub(super) words: String,
}

impl Objection {
    pub(super) fn of(obstacle: Obstacle, words: impl ToString) -> Self {
        Self { reason: obstacle.reason(), words: words.to_string() }
    }
}

impl From<pkix::Refusal> for Objection {
    fn from(refusal: pkix::Refusal) -> Self {
        Self { reason: refusal.reason(), words: refusal.to_string() }
    }
}

/// What a client makes of the certificates it is shown, leaf first.
pub(super) type Judge = Box<dyn Fn(&[CertificateDer<'_>]) -> Result<(), Objection> + Send + Sync>;

/// Nothing was fetched.
#[derive(Debug)]
pub(super) enum FetchError {
    Io(io::Error),
    Refused(Objection),
    Status(u16),
}

impl FetchError {
    /// As a name and in words.
    pub(super) fn objection(self) -> Objection {
        match self {
            Self::Refused(objection) => objection,
            Self::Io(error) => Objection::of(Obstacle::ConnectionFailed, error),
            Self::Status(status) => {
                Objection::of(Obstacle::HttpStatus, format!("the server answers {status}"))
            }
        }
    }
}

/// What a client has seen.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The certificates that were shown, if the handshake got so far.
    pub(super) shown: Vec<CertificateDer<'static>>,
    /// The file, or why there is none.
    pub(super) file: Result<Vec<u8>, FetchError>,
}

/// Gets `https://name/path` from the server at `address`.
pub(super) async fn fetch(
    address: SocketAddr,
    name: &str,
    path: &str,
    judge: Judge,
    trail: &Trail,
) -> Fetched {
    let looker = Arc::new(Looker { judge, seen: Mutex::default() });
    let file = match timeout(PATIENCE, get(address, name, path, &looker, trail)).await {
        Ok(file) => file,
        Err(_) => Err(FetchError::Io(io::ErrorKind::TimedOut.into())),
    };
    let (shown, objection) =
        std::mem::take(&mut *looker.seen.lock().unwrap_or_else(PoisonError::into_inner));
    let file = match objection {
        Some(objection) => Err(FetchError::Refused(objection)),
        None => file,
    };
    Fetched { shown, file }
}

async fn get(
    address: SocketAddr,
    name: &str,
    path: &str,
    looker: &Arc<Looker>,
    trail: &Trail,
) -> Result<Vec<u8>, FetchError> {
    let io = FetchError::Io;
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| io(io::Error::other(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(looker) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let server = ServerName::try_from(name.to_owned())
        .map_err(|error| io(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let tcp = connect(address, trail).await.map_err(io)?;
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(server, tcp).await.map_err(io)?;
    let (status, body) = ask(&mut stream, "GET", name, path, b"").await.map_err(io)?;
    if status == 200 { Ok(body) } else { Err(FetchError::Status(status)) }
}

/// One request of HTTP without TLS, and its answer, if that comes within [`PATIENCE`].
pub(super) async fn ask_plainly(
    address: SocketAddr,
    method: &str,
    name: &str,
    path: &str,
    form: &[u8],
    trail: &Trail,
) -> io::Result<(u16, Vec<u8>)> {
    let conversation = async {
        let mut tcp = connect(address, trail).await?;
        ask(&mut tcp, method, name, path, form).await
    };
    in_time(PATIENCE, conversation).await
}

/// One request of HTTP and its answer.
async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    method: &str,
    name: &str,
    path: &str,
    form: &[u8],
) -> io::Result<(u16, Vec<u8>)> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(form).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    // A server that closes without TLS' goodbye has still said all that Content-Length promises.
    let ended = stream.take(ANSWER_MAX).read_to_end(&mut answer).await;
    match whole_answer(&answer) {
        Some(answer) => Ok(answer),
        None => Err(ended.err().unwrap_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the answer of the server is not whole")
        })),
    }
}

fn whole_answer(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length: usize = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })?;
    let start = end + 4;
    let body = answer.get(start..start.checked_add(length)?)?;
    Some((status, body.to_vec()))
}

/// The verifier of one handshake: keeps what it was shown, and what was made of it.
struct Looker {
    judge: Judge,
    seen: Mutex<(Vec<CertificateDer<'static>>, Option<Objection>)>,
}

impl std::fmt::Debug for Looker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looker").finish_non_exhaustive()
    }
}

impl ChecksPossession for Looker {}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let shown: Vec<_> =
            std::iter::once(leaf).chain(others).map(|der| der.clone().into_owned()).collect();
        let objection = (self.judge)(&shown).err();
        let is_refused = objection.is_some();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = (shown, objection);
        if is_refused {
            // Sent as the alert `certificate_unknown`, as Java does.
            return Err(CertificateError::Other(rustls::OtherError(Arc::new(io::Error::other(
                "the chain is refused",
            ))))
            .into());
        }
        Ok(ServerCertVerified::assertion())
    }

    signatures_by_possession!();
}

#[cfg(test)]
mod tests {
    use ground::{Actor, VirtualClock};

    use super::*;

    #[tokio::test]
    async fn a_client_does_not_wait_for_a_silent_server() {
        let clock = VirtualClock::starting_at(ground::Timestamp::from_unix(0));
        let trail = Ledger::new(clock.clock()).trail(Actor::Runner);
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = silent.local_addr().unwrap();
        tokio::time::pause();
        let asked = ask_plainly(address, "GET", "silent", "/", b"", &trail);
        let asked = timeout(10 * PATIENCE, asked).await.expect("it gives up by itself");
        assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
