//! An HTTP listener for orchestrators, which says in JSON whether the program lives and is ready.
//!
//! `/livez` is answered with 200 while the program runs. `/readyz`, and `/`, with 200 from the moment
//! at which every listener of every DC takes connections, and with 503 before, and again once the
//! program has been told to stop.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

use crate::error::Failure;

/// The open port.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    address: SocketAddr,
    is_ready: Arc<AtomicBool>,
}

/// Connections at a time. More wait: this is for a probe every few seconds.
const CONNECTIONS_MAX: usize = 16;

/// Time that a probe may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Health {
    /// Opens the port on loopback, 0 for one that the system chooses, and answers for ever in the
    /// background.
    pub(crate) async fn open(port: u16) -> Result<Self, Failure> {
        let failed = |source| Failure::Health { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let health = Self { address, is_ready: Arc::default() };
        tokio::spawn(accept(listener, Arc::clone(&health.is_ready)));
        Ok(health)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The domain serves, or no longer does.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Release);
    }
}

async fn accept(listener: TcpListener, is_ready: Arc<AtomicBool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let is_ready = Arc::clone(&is_ready);
        tokio::spawn(async move {
            let _slot = slot;
            let service = service_fn(|request| {
                let is_ready = is_ready.load(Ordering::Acquire);
                async move { Ok::<_, Infallible>(answer(&request, is_ready)) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).keep_alive(false);
            // A probe that breaks off is no concern of ours.
            let _ = timeout(PATIENCE, server.serve_connection(TokioIo::new(stream), service)).await;
        });
    }
}

fn answer(request: &Request<Incoming>, is_ready: bool) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/livez") => (StatusCode::OK, json!({ "live": true })),
        (&Method::GET | &Method::HEAD, "/" | "/readyz") => {
            let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, json!({ "live": true, "ready": is_ready }))
        }
        (&Method::GET | &Method::HEAD, path) => {
            let error = format!("no such path: {path}; there are /livez and /readyz");
            (StatusCode::NOT_FOUND, json!({ "error": error }))
        }
        (method, _) => {
            let error = format!("{method} is not understood; use GET");
            (StatusCode::METHOD_NOT_ALLOWED, json!({ "error": error }))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn ask(health: &Health, path: &str) -> String {
        let mut stream = TcpStream::connect(health.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.lines().next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn it_lives_before_it_is_ready_and_after() {
        let health = Health::open(0).await.unwrap();
        for is_ready in [false, true, false] {
            health.set_ready(is_ready);
            assert_eq!(ask(&health, "/livez").await, "HTTP/1.1 200 OK");
            let expected = if is_ready { "200 OK" } else { "503 Service Unavailable" };
            assert_eq!(ask(&health, "/readyz").await, format!("HTTP/1.1 {expected}"));
        }
    }
}
