//! A stream that gives one TLS record at a time while a handshake lasts, and looks at the hello first.
//!
//! A TLS library reads what has arrived and judges all of it at once. If a client's last handshake
//! message and the bytes of its displeasure (`samba-tls-verify.md` §11) arrive together, the
//! handshake would sometimes count as failed and sometimes as complete. With a pause behind every
//! record it is always complete first. The pause is none for anybody else: [`through_pauses`] asks
//! again at once, without a way round by the scheduler, which would wake another thread for it.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    stream::Stream,
    tls::{ClientHello, First},
};

/// Bytes of a record's header: type, version and, in the last two, the size of what follows.
const HEADER_BYTES: usize = 5;

/// Bytes asked of the socket at once.
const READ_BYTES: usize = 4_096;

/// A stream read record by record until [`Records::handshake_is_over`]; writing goes straight
/// through.
#[derive(Debug)]
pub(crate) struct Records {
    stream: Stream,
    /// Read from the stream and not yet given away.
    ahead: Vec<u8>,
    /// Bytes of the present record that are still to be given away.
    rest: usize,
    /// Whether a record has just ended: the reader gets to look at it before the next.
    pause: bool,
    pauses: Pauses,
    handshake_is_over: bool,
    /// Whether something has been read that neither an answer nor an acknowledgement has followed.
    is_unanswered: bool,
    damage: Damage,
}

/// Tells whether a reader that has to wait only waits behind a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pauses(Arc<AtomicBool>);

/// Runs `future`, which reads [`Records`] with these pauses.
pub(crate) async fn through_pauses<F: Future>(pauses: &Pauses, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        loop {
            let polled = future.as_mut().poll(cx);
            if polled.is_ready() || !pauses.0.swap(false, Ordering::Relaxed) {
                return polled;
            }
        }
    })
    .await
}

/// What becomes of the first sealed record that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// Nothing, or it has been damaged already.
    None,
    /// It will be damaged.
    Awaited,
    /// The record that comes now is sealed: the one before said so.
    Due,
}

impl Records {
    /// To be read by a future that runs [`through_pauses`] with the same pauses.
    pub(crate) fn new(stream: Stream, pauses: &Pauses) -> Self {
        Self {
            pauses: pauses.clone(),
            stream,
            ahead: Vec::new(),
            rest: 0,
            pause: false,
            handshake_is_over: false,
            is_unanswered: false,
            damage: Damage::None,
        }
    }

    /// Waits for the ClientHello and leaves it to be read. `None` if what comes is none, or nothing
    /// comes.
    pub(crate) async fn first_hello(&mut self) -> Option<Box<ClientHello>> {
        loop {
            match First::of(&self.ahead) {
                First::Hello(hello, _) => return Some(hello),
                First::Other => return None,
                First::Incomplete => {}
            }
            if !matches!(poll_fn(|cx| self.poll_more(cx)).await, Ok(true)) {
                return None;
            }
        }
    }

    /// Forgets what has been read ahead: the hello, for a server that has it already.
    pub(crate) fn forget_hello(&mut self) {
        if let First::Hello(_, used) = First::of(&self.ahead) {
            self.ahead.drain(..used);
        }
    }

    /// From now on one bit of the first sealed record is turned: in TLS 1.2 that behind the
    /// ChangeCipherSpec, in TLS 1.3 that behind the ServerHello.
    pub(crate) fn damage_sealed(&mut self, is_wanted: bool) {
        self.damage = if is_wanted { Damage::Awaited } else { Damage::None };
    }

    /// The stream itself. What has been read ahead is lost.
    pub(crate) fn into_inner(self) -> Stream {
        self.stream
    }

    /// From now on everything that has arrived may be read at once.
    pub(crate) fn handshake_is_over(&mut self) {
        self.handshake_is_over = true;
    }

    /// Reads more from the socket; false at its end. Where a flight is not whole yet, its sender gets
    /// to know that the rest may come: an answer would tell it, and there is none so far.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        if polled.is_pending() && std::mem::take(&mut self.is_unanswered) {
            self.stream.acknowledge_at_once();
        }
        ready!(polled)?;
        self.ahead.extend_from_slice(buffer.filled());
        self.is_unanswered = true;
        Poll::Ready(Ok(!buffer.filled().is_empty()))
    }
}

impl AsyncRead for Records {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.handshake_is_over {
            if self.ahead.is_empty() {
                return Pin::new(&mut self.stream).poll_read(cx, buffer);
            }
            let size = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..size]);
            self.ahead.drain(..size);
            if self.ahead.is_empty() {
                self.ahead = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        if std::mem::take(&mut self.pause) {
            self.pauses.0.store(true, Ordering::Relaxed);
            return Poll::Pending;
        }
        if self.rest == 0 {
            while self.ahead.len() < HEADER_BYTES {
                if !ready!(self.poll_more(cx))? {
                    // The end, or a header that was cut off: the reader sees the bytes there are.
                    self.rest = self.ahead.len();
                    break;
                }
            }
            if let [_, _, _, high, low, ..] = self.ahead[..] {
                self.rest = HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
            }
        }
        if self.ahead.is_empty() && self.rest > 0 && !ready!(self.poll_more(cx))? {
            return Poll::Ready(Ok(()));
        }
        let size = self.ahead.len().min(self.rest).min(buffer.remaining());
        buffer.put_slice(&self.ahead[..size]);
        self.ahead.drain(..size);
        self.rest -= size;
        self.pause = self.rest == 0 && size > 0;
        Poll::Ready(Ok(()))
    }
}

impl Records {
    /// Writes the first of the records in `bytes`, damaged if it is the one.
    ///
    /// rustls hands over whole records; what it has to hand over again, because the socket was
    /// full, begins in the middle of one and passes untouched.
    fn poll_write_damaged(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let [kind, _, _, high, low, ..] = *bytes else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        let size = HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
        let mut record = bytes[..size.min(bytes.len())].to_vec();
        let is_sealed = kind == APPLICATION_DATA || self.damage == Damage::Due;
        if let (true, Some(last)) = (is_sealed, record.last_mut()) {
            *last ^= 1;
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &record))?;
        if written == record.len() {
            self.damage = match kind {
                _ if is_sealed => Damage::None,
                CHANGE_CIPHER_SPEC => Damage::Due,
                _ => Damage::Awaited,
            };
        }
        Poll::Ready(Ok(written))
    }
}

// Types of records.
const CHANGE_CIPHER_SPEC: u8 = 20;
const APPLICATION_DATA: u8 = 23;

impl AsyncWrite for Records {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.is_unanswered = false;
        if self.damage != Damage::None {
            return self.poll_write_damaged(cx, bytes);
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_unanswered = false;
        if self.damage != Damage::None {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(cx, first.map_or(&[], |slice| slice));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    async fn chunks(sent: &'static [u8]) -> Vec<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(sent).await.unwrap();
        drop(client);
        let pauses = Pauses::default();
        let mut records = Records::new(listener.accept().await.unwrap().0.into(), &pauses);
        let mut chunks = Vec::new();
        loop {
            let mut chunk = vec![0; 64];
            let size = through_pauses(&pauses, records.read(&mut chunk)).await.unwrap();
            if size == 0 {
                return chunks;
            }
            chunk.truncate(size);
            chunks.push(chunk);
        }
    }

    #[tokio::test]
    async fn records_that_arrive_together_are_read_apart() {
        let read = chunks(b"\x16\x03\x03\x00\x02ab\x17\x03\x03\x00\x01c0\x05\x02\x01").await;
        assert_eq!(read[0], b"\x16\x03\x03\x00\x02ab");
        assert_eq!(read[1], b"\x17\x03\x03\x00\x01c");
        assert_eq!(read[2..].concat(), b"0\x05\x02\x01");
    }

    #[tokio::test]
    async fn bytes_that_are_no_record_come_through_as_they_are() {
        assert_eq!(chunks(b"GET / HTTP/1.0\r\n\r\n").await.concat(), b"GET / HTTP/1.0\r\n\r\n");
        assert_eq!(chunks(b"GE").await.concat(), b"GE");
        assert_eq!(chunks(b"").await.concat(), b"");
    }
}
