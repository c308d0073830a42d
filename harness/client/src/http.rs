//! One request and its response, over a connection of their own (xenapi-wire.md §1).
//!
//! HTTP 1.0, which knows no chunks and no second request.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::{ClientError, Encoding, client::ANSWER_MAX};

/// Sends `body` and returns what came for it with status 200.
pub(crate) async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    encoding: Encoding,
    body: &str,
) -> Result<Vec<u8>, ClientError> {
    let (path, content_type) = match encoding {
        Encoding::JsonRpc => ("/jsonrpc", "application/json"),
        Encoding::XmlRpc => ("/RPC2", "text/xml"),
    };
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await
    };
    // Who refuses a request early may close before having read it all; what it said still comes.
    let sent = sent.await;
    let mut response = Vec::new();
    let read = read_whole(&mut stream, &mut response).await;
    match Response::parse(&response) {
        Ok(response) => response.body(),
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
            let response = Response::parse(response).ok();
            wanted = response.and_then(|response| Some(response.at + response.length?));
        }
    }
    Ok(())
}

/// What has come of a response.
struct Response<'a> {
    status: &'a str,
    length: Option<usize>,
    /// Where the body begins.
    at: usize,
    body: &'a [u8],
}

impl<'a> Response<'a> {
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
        let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        Ok(Self { status, length, at, body: &bytes[at..] })
    }

    fn body(&self) -> Result<Vec<u8>, ClientError> {
        if self.status != "200" {
            return Err(ClientError::Status { status: self.status.to_owned() });
        }
        let length = self.length.unwrap_or(self.body.len());
        let body = self.body.get(..length).ok_or(ClientError::Cut)?;
        Ok(body.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(response: &[u8]) -> Result<Vec<u8>, ClientError> {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(response).await.unwrap();
        let far = tokio::spawn(async move {
            far.shutdown().await.unwrap();
            let mut request = Vec::new();
            far.read_to_end(&mut request).await.unwrap();
        });
        let answer = exchange(near, "host1", Encoding::XmlRpc, "<x/>").await;
        far.await.unwrap();
        answer
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
