//! Messages in a channel: JSON behind its length, sealed once a symmetric key has been proven.

use std::{fmt, io, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Mutex,
    time::timeout,
};

use super::{
    HANDSHAKE_LIMIT, PinnedError, Transport,
    seal::{SEAL_BYTES, Seal},
};

/// Longest message.
pub const MESSAGE_LIMIT: usize = 64 * 1024;

/// One end of a conversation.
pub struct Frames {
    /// Shared by nobody; what is not `Sync` is so in here.
    stream: Mutex<Box<dyn Transport>>,
    seal: Option<Seal>,
}

impl Frames {
    /// A conversation over a channel.
    pub fn over(stream: impl Transport + 'static) -> Self {
        Self { stream: Mutex::new(Box::new(stream)), seal: None }
    }

    /// From now on nobody but the two who hold `seal`'s keys can read or alter a message.
    pub(super) fn seal_with(&mut self, seal: Seal) {
        self.seal = Some(seal);
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// The channel is broken or nobody reads, or the message is longer than [`MESSAGE_LIMIT`].
    pub async fn send(&mut self, message: &impl Serialize) -> Result<(), PinnedError> {
        let plain = serde_json::to_vec(message).map_err(io::Error::from)?;
        let size = plain.len() + self.seal.as_ref().map_or(0, |_| SEAL_BYTES);
        let length = u32::try_from(size).unwrap_or(u32::MAX);
        if size > MESSAGE_LIMIT {
            // Before it is sealed, which counts: what is not sent must have no number.
            return Err(PinnedError::LongMessage { length });
        }
        let bytes = match &mut self.seal {
            Some(seal) => seal.close(plain)?,
            None => plain,
        };
        let stream = self.stream.get_mut();
        let writing = async {
            stream.write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat()).await?;
            stream.flush().await
        };
        let limit = HANDSHAKE_LIMIT;
        Ok(timeout(limit, writing).await.map_err(|_| PinnedError::Silent { limit })??)
    }

    /// The next message; `None` if the peer has said all.
    ///
    /// # Errors
    ///
    /// The channel is broken, or what comes is no such message.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, PinnedError> {
        let stream = self.stream.get_mut();
        let mut length = [0; 4];
        match stream.read_exact(&mut length).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let length = u32::from_be_bytes(length);
        if length as usize > MESSAGE_LIMIT {
            return Err(PinnedError::LongMessage { length });
        }
        let mut bytes = vec![0; length as usize];
        stream.read_exact(&mut bytes).await?;
        let plain = match &mut self.seal {
            Some(seal) => seal.open(bytes)?,
            None => bytes,
        };
        serde_json::from_slice(&plain).map(Some).map_err(|_| PinnedError::Malformed)
    }

    /// Sends a message and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`Frames::send`] and [`Frames::receive`], or no answer comes.
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        message: &impl Serialize,
    ) -> Result<T, PinnedError> {
        self.send(message).await?;
        self.answer().await
    }

    /// The message that must come now.
    pub(super) async fn answer<T: DeserializeOwned>(&mut self) -> Result<T, PinnedError> {
        self.receive_within(HANDSHAKE_LIMIT).await?.ok_or(PinnedError::Cut)
    }

    /// As [`Frames::receive`], for so long.
    pub(super) async fn receive_within<T: DeserializeOwned>(
        &mut self,
        limit: Duration,
    ) -> Result<Option<T>, PinnedError> {
        let received = timeout(limit, self.receive()).await;
        received.map_err(|_| PinnedError::Silent { limit })?
    }
}

/// Whether it is sealed: what travels is nobody's business.
impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("sealed", &self.seal.is_some()).finish_non_exhaustive()
    }
}
