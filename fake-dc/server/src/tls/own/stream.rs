//! A connection after the handshake: bytes in records.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustls::{AlertDescription, Error, InvalidMessage, crypto::SecureRandom};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{ALERT, APPLICATION_DATA, FRAGMENT_BYTES_MAX, protection::Protection};
use crate::{records::Records, tls::flight::record};

/// Most content in one record.
const CONTENT_BYTES_MAX: usize = 1 << 14;

/// A connection whose handshake is complete. Errors are those of rustls.
pub(crate) struct OwnStream {
    io: Records,
    version: u16,
    read: Protection,
    write: Protection,
    random: &'static dyn SecureRandom,
    /// Records that have arrived, whole or not.
    incoming: Vec<u8>,
    /// Content to be read.
    content: Vec<u8>,
    /// Records to be sent.
    outgoing: Vec<u8>,
    /// Whether the client has said that it ends.
    has_ended: bool,
    has_said_end: bool,
}

impl OwnStream {
    pub(super) fn new(
        mut io: Records,
        version: u16,
        read: Protection,
        write: Protection,
        random: &'static dyn SecureRandom,
    ) -> Self {
        io.handshake_is_over();
        Self {
            io,
            version,
            read,
            write,
            random,
            incoming: Vec::new(),
            content: Vec::new(),
            outgoing: Vec::new(),
            has_ended: false,
            has_said_end: false,
        }
    }

    /// The stream below. What has been read ahead is lost.
    pub(crate) fn into_inner(self) -> Records {
        self.io
    }

    /// Takes one record off the front of what has arrived. False if there is no whole one.
    fn open_record(&mut self) -> Result<bool, Error> {
        let [kind, major, _, high, low, ..] = self.incoming[..] else { return Ok(false) };
        if !(ALERT..=APPLICATION_DATA).contains(&kind) || major != 3 {
            return Err(InvalidMessage::InvalidContentType.into());
        }
        let size = usize::from(u16::from_be_bytes([high, low]));
        if size > FRAGMENT_BYTES_MAX {
            return Err(InvalidMessage::MessageTooLarge.into());
        }
        let Some(fragment) = self.incoming.get(5..5 + size) else { return Ok(false) };
        let content = self.read.open(kind, fragment)?;
        self.incoming.drain(..5 + size);
        match (kind, &content[..]) {
            (APPLICATION_DATA, _) => self.content.extend(content),
            (ALERT, [_, description]) => match AlertDescription::from(*description) {
                AlertDescription::CloseNotify => self.has_ended = true,
                alert => return Err(Error::AlertReceived(alert)),
            },
            // A client that begins a second handshake.
            _ => return Err(InvalidMessage::UnexpectedMessage("a handshake message").into()),
        }
        Ok(true)
    }

    fn seal(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        let sealed = self.write.seal(kind, content, self.random).map_err(invalid)?;
        self.outgoing.extend(record(kind, self.version, &sealed));
        Ok(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let sent = ready!(Pin::new(&mut self.io).poll_write(cx, &self.outgoing))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl AsyncRead for OwnStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.content.is_empty() {
                let size = self.content.len().min(buffer.remaining());
                buffer.put_slice(&self.content[..size]);
                self.content.drain(..size);
                return Poll::Ready(Ok(()));
            }
            if self.has_ended {
                return Poll::Ready(Ok(()));
            }
            if self.open_record().map_err(invalid)? {
                continue;
            }
            let mut space = [0; 4_096];
            let mut arrived = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut arrived))?;
            if arrived.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.incoming.extend_from_slice(arrived.filled());
        }
    }
}

impl AsyncWrite for OwnStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let size = bytes.len().min(CONTENT_BYTES_MAX);
        self.seal(APPLICATION_DATA, &bytes[..size])?;
        Poll::Ready(Ok(size))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.has_said_end, true) {
            self.seal(ALERT, &[super::super::alert::WARNING, 0])?;
        }
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
