//! The control port: faults and routes of a running domain over HTTP with JSON.
//!
//! On loopback alone and only if asked for. A browser on the same machine must not be talked into
//! using it by some page: requests with an `Origin` are refused, as are those for a host that is
//! not loopback (DNS rebinding), and bodies must be declared as JSON.
//!
//! `CONTROL.md` describes the requests; [`api`] is what they do.

mod api;
mod refusal;

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use fake_dc::Domain;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE, HOST, ORIGIN},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use self::{api::Call, refusal::Refusal};
use crate::error::Failure;

/// Bytes of a request body. A few hundred faults are a tenth of it.
const BODY_MAX: usize = 65_536;

/// Connections at a time. More wait.
const CONNECTIONS_MAX: usize = 64;

/// Time in which a request must have come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The open port. Dropping it closes the port and its connections.
pub(crate) struct Control {
    address: SocketAddr,
    /// The one task that accepts, which owns all others.
    task: JoinSet<()>,
}

impl Control {
    /// Opens the port on loopback; 0 lets the system choose.
    pub(crate) async fn open(port: u16, domain: Arc<Domain>) -> Result<Self, Failure> {
        let failed = |source| Failure::Control { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut task = JoinSet::new();
        task.spawn(accept(listener, domain));
        Ok(Self { address, task })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Closes the port and its connections, and waits until that is done.
    pub(crate) async fn stop(mut self) {
        self.task.shutdown().await;
    }
}

async fn accept(listener: TcpListener, domain: Arc<Domain>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let domain = Arc::clone(&domain);
                connections.spawn(async move {
                    serve(stream, domain).await;
                    drop(slot);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, domain: Arc<Domain>) {
    let service = service_fn(|request| {
        let domain = Arc::clone(&domain);
        async move { Ok::<_, Infallible>(answer(&domain, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // A client that breaks off is no concern of ours.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(domain: &Domain, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let answered = match call(request).await {
        Ok(call) => call.perform(domain),
        Err(refusal) => Err(refusal),
    };
    match answered {
        Ok(value) => json(StatusCode::OK, &value),
        Err(refusal) => {
            let mut response = json(refusal.status(), &refusal.to_json());
            if let Some(allowed) = refusal.allowed() {
                response.headers_mut().insert(ALLOW, allowed);
            }
            response
        }
    }
}

/// What is asked, if the one who asks may.
async fn call(request: Request<Incoming>) -> Result<Call, Refusal> {
    let (head, body) = request.into_parts();
    guard(&head.headers)?;
    let has_body = matches!(head.method, Method::PUT | Method::POST);
    let body = if has_body { read(&head.headers, body).await? } else { Value::Null };
    Call::parse(&head.method, &head.uri, body)
}

/// Refuses what a page in a browser could send.
fn guard(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(ORIGIN) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "requests of web pages are not served"));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_loopback = host.parse::<hyper::http::uri::Authority>().is_ok_and(|authority| {
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    });
    if is_loopback {
        return Ok(());
    }
    let text = format!("the request is for the host `{host}`, which is not loopback");
    Err(Refusal::new(StatusCode::FORBIDDEN, text).help("use http://127.0.0.1 and the port"))
}

async fn read(headers: &HeaderMap, body: Incoming) -> Result<Value, Refusal> {
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let text = format!("the body has more than {BODY_MAX} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
        } else {
            Refusal::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"))
        }
    })?;
    let body = body.to_bytes();
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case(JSON)) {
        let text = "the body is not declared as JSON";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
            .help("send the header `Content-Type: application/json`"));
    }
    serde_json::from_slice(&body).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}"))
    })
}

fn json(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{value}\n")));
    *response.status_mut() = status;
    let content_type = hyper::header::HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

const JSON: &str = "application/json";
