//! Clients of the model that connect to DCs and prove by their certificate who they are.

use std::{io, net::SocketAddr, time::Duration};

use fake_dc::Dc;
use ground::{Trail, Transport, fact};
use ldap_wire::{
    Authentication, BindRequest, Decoded, ExtendedRequest, LdapMessage, Limits, ProtocolOp,
    extended,
};
use serde::Serialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use trust_models::directory::{Client, ConnectError};

use super::{super::Refusal, refusal};

/// How long a DC may take to answer, in real time.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A DC has said who the client is to it.
#[derive(Debug, Serialize)]
pub(super) struct Bound {
    /// As "Who am I?" (RFC 4532) has it: `u:CORP\alice`; nothing for nobody.
    account: String,
}
fact!(Bound, "directory.bound");

/// Comes to LDAPS, where a certificate binds at once, and asks who it is.
pub(super) async fn over_ldaps(
    client: &Client,
    name: &str,
    address: SocketAddr,
    trail: &Trail,
) -> Option<Refusal> {
    match client.connect(name, address).await {
        Ok(mut connection) => match who(&mut connection.stream).await {
            Err(error) => Some(refusal(&connection.explain(error))),
            Ok(answer) => told(answer, trail),
        },
        Err(error) => Some(refusal(&error)),
    }
}

/// Begins TLS on LDAP, binds with EXTERNAL, and asks who it is.
pub(super) async fn over_starttls(client: &Client, dc: &Dc, trail: &Trail) -> Option<Refusal> {
    let stream = match start_tls(dc, trail).await {
        Ok(stream) => stream,
        Err(source) => {
            return Some(refusal(&ConnectError::Connect { address: dc.ldap(), source }));
        }
    };
    let mut connection = match client.secure(dc.dns_name(), stream, trail).await {
        Ok(connection) => connection,
        Err(error) => return Some(refusal(&error)),
    };
    let external = ProtocolOp::BindRequest(BindRequest {
        version: 3,
        name: String::new(),
        authentication: Authentication::Sasl {
            mechanism: "EXTERNAL".to_owned(),
            credentials: None,
        },
    });
    match exchange(&mut connection.stream, 2, external).await {
        Err(error) => Some(refusal(&connection.explain(error))),
        Ok(ProtocolOp::BindResponse(answer)) if answer.result.is_success() => {
            match who(&mut connection.stream).await {
                Err(error) => Some(refusal(&ConnectError::Lost(error))),
                Ok(answer) => told(answer, trail),
            }
        }
        Ok(ProtocolOp::BindResponse(answer)) => {
            let words = format!("{:?}: {}", answer.result.code, answer.result.diagnostic);
            Some(Refusal { reason: "external-refused".to_owned(), words, diagnosis: Vec::new() })
        }
        Ok(_) => Some(no_answer()),
    }
}

async fn start_tls(dc: &Dc, trail: &Trail) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    if let Some(cause) = trail.cause() {
        trail.ledger().open_flow(Transport::Tcp, socket.local_addr()?, cause);
    }
    let mut stream = timeout(ANSWER_LIMIT, socket.connect(dc.ldap())).await??;
    let request = ExtendedRequest { name: extended::START_TLS.to_owned(), value: None };
    match exchange(&mut stream, 1, ProtocolOp::ExtendedRequest(request)).await? {
        ProtocolOp::ExtendedResponse(answer) if answer.result.is_success() => Ok(stream),
        _ => Err(io::Error::other("StartTLS was refused")),
    }
}

/// Asks the DC who the client is to it.
async fn who<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<ProtocolOp> {
    let request = ExtendedRequest { name: extended::WHO_AM_I.to_owned(), value: None };
    exchange(stream, 3, ProtocolOp::ExtendedRequest(request)).await
}

fn told(answer: ProtocolOp, trail: &Trail) -> Option<Refusal> {
    match answer {
        ProtocolOp::ExtendedResponse(answer) if answer.result.is_success() => {
            let account = answer.value.unwrap_or_default();
            trail.record(Bound { account: String::from_utf8_lossy(&account).into_owned() });
            None
        }
        _ => Some(no_answer()),
    }
}

fn no_answer() -> Refusal {
    let words = "the DC answered something else".to_owned();
    Refusal { reason: "no-answer".to_owned(), words, diagnosis: Vec::new() }
}

/// One request, and the answer to it.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    id: u32,
    request: ProtocolOp,
) -> io::Result<ProtocolOp> {
    let exchanging = async {
        stream.write_all(&LdapMessage::new(id, request).encode()).await?;
        stream.flush().await?;
        let mut received = Vec::new();
        loop {
            match ldap_wire::decode(&received, &Limits::DEFAULT) {
                Ok(Decoded::Message { message, .. }) => return Ok(message.op),
                Ok(Decoded::Incomplete { .. }) => {}
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    };
    timeout(ANSWER_LIMIT, exchanging).await?
}
