//! One HTTP request there and one answer back.

use std::{fmt, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request as HttpRequest, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Runtime, time::timeout};

use super::Request;
use crate::exit::Exit;

/// Longest wait for an answer. Making a chain with a large key takes the longest.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of an answer. The largest is a full ledger.
const ANSWER_MAX: usize = 256 << 20;

/// A domain's control port.
pub(crate) struct Client {
    /// `127.0.0.1:8080`.
    authority: String,
    runtime: Runtime,
}

/// Failed to change the domain.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no control port, or it broke off.
    Unreachable { authority: String, reason: String },
    /// It does not do that.
    Refused { error: String, help: Option<String> },
    /// The URL is none.
    Url { url: String },
    /// The machine refuses what every program may have.
    System { reason: String },
}

impl Client {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let uri: Option<Uri> = url.parse().ok();
        let authority = uri
            .filter(|uri| uri.scheme_str() == Some("http"))
            .and_then(|uri| Some(uri.authority()?.as_str().to_owned()))
            .ok_or_else(|| Failure::Url { url: url.to_owned() })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::System { reason: error.to_string() })?;
        Ok(Self { authority, runtime })
    }

    /// The answer to `request`.
    pub(crate) fn ask(&self, request: &Request) -> Result<Value, Failure> {
        let asked = self.runtime.block_on(async {
            timeout(PATIENCE, self.exchange(request)).await.unwrap_or_else(|late| Err(late.into()))
        });
        let (is_well, answer) = asked.map_err(|error| Failure::Unreachable {
            authority: self.authority.clone(),
            reason: error.to_string(),
        })?;
        if is_well {
            return Ok(answer);
        }
        let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
        Err(Failure::Refused {
            error: text("error").unwrap_or_else(|| "no reason was given".to_owned()),
            help: text("help"),
        })
    }

    /// Whether the request was met, and the answer.
    async fn exchange(
        &self,
        request: &Request,
    ) -> Result<(bool, Value), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let body = request.body.as_ref().map(Value::to_string).unwrap_or_default();
        let http = HttpRequest::builder()
            .method(request.method.clone())
            .uri(format!("/{}", request.path))
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::<Bytes>::from(body))?;
        let asking = async {
            let response = sender.send_request(http).await?;
            let is_well = response.status().is_success();
            let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await?;
            Ok((is_well, serde_json::from_slice(&body.to_bytes())?))
        };
        tokio::pin!(asking);
        tokio::select! {
            answered = &mut asking => answered,
            // The connection may end as soon as the answer is read.
            _ = connection => asking.await,
        }
    }
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::System { .. } => Exit::Broken,
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Url { .. } => Exit::InputWrong,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, help) = match self {
            Self::Unreachable { authority, reason } => (
                format!("the control port at {authority} does not answer: {reason}"),
                Some("start the domain with `fake-dc serve --control-port PORT`"),
            ),
            Self::Refused { error, help } => (error.clone(), help.as_deref()),
            Self::Url { url } => (
                format!("`{url}` is no address of a control port"),
                Some("take `control` from the ready line of `fake-dc serve`"),
            ),
            Self::System { reason } => (reason.clone(), None),
        };
        writeln!(f, "error: {error}")?;
        help.map_or(Ok(()), |help| writeln!(f, "  help: {help}"))
    }
}
