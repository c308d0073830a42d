//! A connection that is no socket: two ends in one process.
//!
//! A fleet of a thousand DCs, asked over hours of simulated time, needs neither ports nor real
//! seconds. What TCP does beyond carrying bytes is kept: an end that is dropped has sent what it
//! wrote, and a reset is told from an end.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

/// One end of the connection.
#[derive(Debug)]
pub struct MemoryStream {
    bytes: DuplexStream,
    /// Whether an end has reset the connection.
    is_reset: Arc<AtomicBool>,
}

impl MemoryStream {
    /// Bytes that may be under way in one direction, about what a socket on loopback takes.
    const BYTES_MAX: usize = 65_536;

    /// Both ends of a new connection.
    pub(crate) fn pair() -> (Self, Self) {
        let (one, other) = duplex(Self::BYTES_MAX);
        let is_reset = Arc::<AtomicBool>::default();
        let end = |bytes| Self { bytes, is_reset: Arc::clone(&is_reset) };
        (end(one), end(other))
    }

    /// Makes the coming end of the connection a reset: the peer reads what was sent, and then that.
    pub(crate) fn reset_on_close(&self) {
        self.is_reset.store(true, Ordering::Release);
    }

    fn is_reset(&self) -> bool {
        self.is_reset.load(Ordering::Acquire)
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.bytes).poll_read(cx, buffer))?;
        let has_ended = buffer.filled().len() == before && buffer.remaining() > 0;
        if has_ended && self.is_reset() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.bytes).poll_write(cx, bytes)) {
            Err(_) if self.is_reset() => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_was_sent_arrives_before_the_end_and_before_a_reset() {
        for resets in [false, true] {
            let (mut near, mut far) = MemoryStream::pair();
            near.write_all(b"last").await.unwrap();
            if resets {
                near.reset_on_close();
            }
            drop(near);
            let mut read = Vec::new();
            let end = far.read_to_end(&mut read).await;
            assert_eq!(read, b"last");
            assert_eq!(end.map_err(|error| error.kind()).is_err(), resets);
            let written = far.write_all(b"more").await.unwrap_err().kind();
            let gone = io::ErrorKind::BrokenPipe;
            assert_eq!(written, if resets { io::ErrorKind::ConnectionReset } else { gone });
        }
    }
}
