//! A client of the service, for programs that drive a pool over the wire (xenapi-wire.md §4).

use std::net::{Ipv4Addr, SocketAddr};

use ground::{Trail, Transport};
use serde_json::{Value, json};
use sim_host::ApiError;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
};

use crate::ClientError;

/// Bytes of an answer that are taken.
pub const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// Speaks JSON-RPC 2.0 over HTTP, one connection for each request.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    address: SocketAddr,
}

impl Client {
    /// A client of the server there.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
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
        params: &[Value],
        trail: &Trail,
    ) -> Result<Result<Value, ApiError>, ClientError> {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 });
        let answer = self.post(&body.to_string(), trail).await?;
        read(&answer)
    }

    async fn post(&self, body: &str, trail: &Trail) -> Result<Vec<u8>, ClientError> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        if let Some(cause) = trail.cause() {
            trail.ledger().open_flow(Transport::Tcp, socket.local_addr()?, cause);
        }
        let mut stream = socket.connect(self.address).await?;
        let head = format!(
            "POST /jsonrpc HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        let limit = ANSWER_MAX as u64 + 1;
        stream.take(limit).read_to_end(&mut answer).await?;
        if answer.len() > ANSWER_MAX {
            return Err(ClientError::Long);
        }
        Ok(answer)
    }
}

fn read(answer: &[u8]) -> Result<Result<Value, ApiError>, ClientError> {
    let text = std::str::from_utf8(answer).map_err(|_| ClientError::Unreadable)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(ClientError::Unreadable)?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(ClientError::Status { status: status.to_owned() });
    }
    let mut body: Value = serde_json::from_str(body).map_err(|_| ClientError::Unreadable)?;
    let Some(error) = body.get("error") else {
        return body.get_mut("result").map(|value| Ok(value.take())).ok_or(ClientError::Unreadable);
    };
    let code = error.get("message").and_then(Value::as_str).ok_or(ClientError::Unreadable)?;
    let params = error.get("data").and_then(Value::as_array).ok_or(ClientError::Unreadable)?;
    Ok(Err(ApiError::new(code, params.iter().map(|param| param.as_str().unwrap_or_default()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let read = |body: &str| read(format!("HTTP/1.1 200 OK\r\nx: y\r\n\r\n{body}").as_bytes());
        assert_eq!(read(r#"{"result":[1],"id":1}"#).unwrap(), Ok(json!([1])));
        let failure = r#"{"error":{"code":1,"message":"HANDLE_INVALID","data":["host","x"]}}"#;
        assert_eq!(read(failure).unwrap(), Err(ApiError::new("HANDLE_INVALID", ["host", "x"])));
        for body in ["", "{}", "[]", r#"{"error":{}}"#] {
            assert!(matches!(read(body), Err(ClientError::Unreadable)), "{body}");
        }
        let refused = super::read(b"HTTP/1.1 413 Payload Too Large\r\n\r\n").unwrap_err();
        assert_eq!(refused.to_string(), "the server answered with HTTP status 413");
    }
}
