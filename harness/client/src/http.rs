//! One request and its response (xenapi-wire.md §1).
//!
//! HTTP 1.0, which knows no chunks; that a second request may follow must be said by both ends.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::{ClientError, Encoding, client::ANSWER_MAX};

/// What came with status 200.
pub(crate) struct Response {
    pub(crate) body: Vec<u8>,
    /// Whether another request may follow.
    pub(crate) keeps_connection: bool,
}

/// Sends `body` and returns what came for it.
pub(crate) async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    encoding: Encoding,
    body: &str,
) -> Result<Response, ClientError> {
    let (path, content_type) = match encoding {
        Encoding::JsonRpc => ("/jsonrpc", "application/json"),
        Encoding::XmlRpc => ("/RPC2", "text/xml"),
    };
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\nConnection: keep-alive\r\n\r\n"
    );
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await
    };
    // Who refuses a request early may close before having read it all; what it said still comes.
    let sent = sent.await;
    let mut response = Vec::new();
    let read = read_whole(stream, &mut response).await;
    match Received::parse(&response) {
        Ok(received) => received.response(),
        Err(_) if response.is_empty() => {
            sent?;
            read?;
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        }
        Err(error) => Err(error),
    }
}

/// Reads until the response is whole or the other end stops.
async fn read_whole(
    stream: &mut (impl AsyncRead + Unpin),
    response: &mut Vec<u8>,
) -> io::Result<()> {
    let mut wanted = None;
    while response.len() <= ANSWER_MAX && wanted.is_none_or(|wanted| response.len() < wanted) {
        if stream.read_buf(response).await? == 0 {
            break;
        }
        if wanted.is_none() {
            let received = Received::parse(response).ok();
            wanted = received.and_then(|received| Some(received.at + received.length?));
        }
    }
    Ok(())
}

/// What has come of a response.
struct Received<'a> {
    status: &'a str,
    length: Option<usize>,
    keeps_connection: bool,
    /// Where the body begins.
    at: usize,
    body: &'a [u8],
}

impl<'a> Received<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, ClientError> {
        const BLANK_LINE: &[u8] = b"\r\n\r\n";
        if bytes.len() > ANSWER_MAX {
            return Err(ClientError::Long);
        }
        let blank = bytes.windows(BLANK_LINE.len()).position(|window| window == BLANK_LINE);
        let at = blank.ok_or(ClientError::NoHttp)? + BLANK_LINE.len();
        let head = std::str::from_utf8(&bytes[..at]).map_err(|_| ClientError::NoHttp)?;
        let mut lines = head.lines();
        let status = lines.next().filter(|line| line.starts_with("HTTP/1."));
        let status = status.and_then(|line| line.split(' ').nth(1)).ok_or(ClientError::NoHttp)?;
        let (mut length, mut keeps_connection) = (None, false);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = length.or(value.parse().ok());
            } else if name.eq_ignore_ascii_case("connection") {
                keeps_connection = value.eq_ignore_ascii_case("keep-alive");
            }
        }
        Ok(Self { status, length, keeps_connection, at, body: &bytes[at..] })
    }

    fn response(&self) -> Result<Response, ClientError> {
        if self.status != "200" {
            return Err(ClientError::Status { status: self.status.to_owned() });
        }
        let length = self.length.unwrap_or(self.body.len());
        let body = self.body.get(..length).ok_or(ClientError::Cut)?;
        // What ends where the connection ends, or has more behind it, ends the connection.
        let ends_by_itself = self.length == Some(self.body.len());
        let keeps_connection = self.keeps_connection && ends_by_itself;
        Ok(Response { body: body.to_vec(), keeps_connection })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn response(response: &[u8]) -> Result<Response, ClientError> {
        let (mut near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(response).await.unwrap();
        let far = tokio::spawn(async move {
            far.shutdown().await.unwrap();
            let mut request = Vec::new();
            far.read_to_end(&mut request).await.unwrap();
        });
        let answer = exchange(&mut near, "host1", Encoding::XmlRpc, "<x/>").await;
        drop(near);
        far.await.unwrap();
        answer
    }

    async fn answer(bytes: &[u8]) -> Result<Vec<u8>, ClientError> {
        response(bytes).await.map(|response| response.body)
    }

    #[tokio::test]
    async fn the_connection_is_kept_if_the_server_says_so_and_the_response_has_an_end() {
        let keeps = |bytes| async move { response(bytes).await.unwrap().keeps_connection };
        let kept = b"HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nab";
        assert!(keeps(kept).await);
        for closed in [
            &b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nab"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\nab",
        ] {
            assert!(!keeps(closed).await);
        }
    }

    #[tokio::test]
    async fn responses() {
        let whole = b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 2\r\n\r\nabc";
        assert_eq!(answer(whole).await.unwrap(), b"ab");
        assert_eq!(answer(b"HTTP/1.0 200 OK\r\n\r\nabc").await.unwrap(), b"abc");
        let error = |response| async move { answer(response).await.unwrap_err().to_string() };
        assert_eq!(
            error(b"HTTP/1.1 413 Payload Too Large\r\n\r\n").await,
            "the server answered with HTTP status 413"
        );
        let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        assert_eq!(error(cut).await, "the connection ended in the middle of the answer");
        for garbage in [&b"220 smtp\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\n", b"\xff\xff\r\n\r\n"] {
            assert_eq!(error(garbage).await, "what answers there does not speak HTTP");
        }
        assert_eq!(error(b"").await, "the server cannot be talked to: unexpected end of file");
    }
}
