//! Messages under the key that two ends have agreed on: AES-256-GCM, with a key for each
//! direction and a number for each message, as TLS 1.3 protects its records.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};

use super::PinnedError;

/// By how much a message is longer when it is sealed.
pub(super) const SEAL_BYTES: usize = 16;

/// Which of the two ends this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Agent,
    Manager,
}

/// One end of sealed messages. A message that is altered, repeated, left out, put elsewhere or sent
/// back to where it came from does not open.
pub(super) struct Seal {
    outgoing: Direction,
    incoming: Direction,
}

struct Direction {
    key: LessSafeKey,
    /// Of the next message.
    number: u64,
}

impl Seal {
    /// The seal of one end, from the key that a PAKE gave both.
    pub(super) fn new(shared: &[u8], end: End) -> Self {
        let [to_manager, to_agent] =
            ["to manager", "to agent"].map(|label| Direction::new(shared, label));
        match end {
            End::Agent => Self { outgoing: to_manager, incoming: to_agent },
            End::Manager => Self { outgoing: to_agent, incoming: to_manager },
        }
    }

    pub(super) fn close(&mut self, mut message: Vec<u8>) -> Result<Vec<u8>, PinnedError> {
        let nonce = self.outgoing.nonce();
        self.outgoing
            .key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut message)
            .map_err(|_| PinnedError::Altered)?;
        Ok(message)
    }

    pub(super) fn open(&mut self, mut message: Vec<u8>) -> Result<Vec<u8>, PinnedError> {
        let nonce = self.incoming.nonce();
        let plain = self
            .incoming
            .key
            .open_in_place(nonce, Aad::empty(), &mut message)
            .map_err(|_| PinnedError::Altered)?
            .len();
        message.truncate(plain);
        Ok(message)
    }
}

impl Direction {
    fn new(shared: &[u8], label: &str) -> Self {
        let mut bytes = [0; 32];
        Salt::new(HKDF_SHA256, b"pinned keys")
            .extract(shared)
            .expand(&[label.as_bytes()], HKDF_SHA256)
            .and_then(|output| output.fill(&mut bytes))
            .expect("a digest is as long as the key");
        let key = UnboundKey::new(&AES_256_GCM, &bytes).expect("the key has 32 bytes");
        Self { key: LessSafeKey::new(key), number: 0 }
    }

    /// No number comes twice under one key: 2^64 messages are not sent.
    fn nonce(&mut self) -> Nonce {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&self.number.to_be_bytes());
        self.number += 1;
        Nonce::assume_unique_for_key(bytes)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (Seal, Seal) {
        (Seal::new(b"shared", End::Agent), Seal::new(b"shared", End::Manager))
    }

    #[test]
    fn what_one_end_closes_the_other_opens() {
        let (mut agent, mut manager) = ends();
        for text in [&b"one"[..], b"", b"three"] {
            let closed = agent.close(text.to_vec()).unwrap();
            assert_eq!(manager.open(closed).unwrap(), text);
        }
    }

    #[test]
    fn altered_repeated_swapped_and_returned_messages_do_not_open() {
        let (mut agent, mut manager) = ends();
        let first = agent.close(b"first".to_vec()).unwrap();
        let second = agent.close(b"second".to_vec()).unwrap();
        let fails = |seal: &mut Seal, bytes: &[u8]| {
            assert!(matches!(seal.open(bytes.to_vec()), Err(PinnedError::Altered)));
        };
        fails(&mut ends().1, &second);
        fails(&mut ends().0, &first);
        let mut altered = first.clone();
        altered[0] ^= 1;
        fails(&mut ends().1, &altered);
        fails(&mut Seal::new(b"other", End::Manager), &first);
        assert_eq!(manager.open(first.clone()).unwrap(), b"first");
        fails(&mut manager, &first);
    }
}
