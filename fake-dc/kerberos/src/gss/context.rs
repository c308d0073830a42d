//! An established context: messages signed and sealed (RFC 4121, section 4.2).

use ground::Stream;

use crate::{
    crypto::{CHECKSUM_BYTES, Key, Usage},
    error::Error,
    flags::flags,
    limits,
    pac::LogonInfo,
    principal::Principal,
};

flags! {
    /// What an initiator asks of a context (RFC 4121, section 4.1.1.1).
    GssFlags {
        /// A forwarded ticket comes along.
        DELEGATE = 0x0001,
        /// The acceptor proves itself.
        MUTUAL = 0x0002,
        /// Repeated messages are noticed.
        REPLAY = 0x0004,
        /// Messages in another order are noticed.
        SEQUENCE = 0x0008,
        /// Messages are sealed.
        CONFIDENTIAL = 0x0010,
        /// Messages are signed.
        INTEGRITY = 0x0020,
        /// Three legs, for DCE/RPC.
        DCE_STYLE = 0x1000,
    }
}

/// A context between an initiator and an acceptor.
///
/// It is for a transport that keeps the order of messages: a message out of order is refused.
#[derive(Debug)]
pub struct GssContext {
    pub(crate) is_acceptor: bool,
    pub(crate) key: Key,
    pub(crate) key_is_acceptors: bool,
    pub(crate) flags: GssFlags,
    pub(crate) peer: Principal,
    /// What the KDC says of the client, for an acceptor.
    pub(crate) logon: Option<Box<LogonInfo>>,
    pub(crate) next_sent: u64,
    pub(crate) next_received: u64,
}

/// A message taken out of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwrapped {
    /// The message.
    pub message: Vec<u8>,
    /// Whether it was sealed, and not only signed.
    pub sealed: bool,
}

impl GssContext {
    /// Who is at the other end: for an acceptor the client, for an initiator the service.
    pub fn peer(&self) -> &Principal {
        &self.peer
    }

    /// What the KDC says of the client, to an acceptor; `None` if its ticket says nothing.
    pub fn logon_info(&self) -> Option<&LogonInfo> {
        self.logon.as_deref()
    }

    /// What was agreed.
    pub fn flags(&self) -> GssFlags {
        self.flags
    }

    /// Seals or signs a message.
    pub fn wrap(&mut self, message: &[u8], seal: bool, random: &mut Stream) -> Vec<u8> {
        let mut header = Header {
            kind: WRAP,
            flags: self.own_flags() | if seal { SEALED } else { 0 },
            extra: 0,
            rotation: 0,
            sequence: self.take_sequence(),
        };
        let plain = [message, &header.encode()].concat();
        if seal {
            let sealed = self.key.encrypt(seal_usage(self.is_acceptor), &plain, random);
            return [header.encode().as_slice(), &sealed].concat();
        }
        let checksum = self.key.checksum(seal_usage(self.is_acceptor), &[&plain]);
        // The count of checksum octets is not itself under the checksum.
        header.extra = CHECKSUM_BYTES as u16;
        [header.encode().as_slice(), message, &checksum].concat()
    }

    /// Takes a message out of the peer's next token.
    ///
    /// # Errors
    ///
    /// The token is malformed, was changed, or is not the next one.
    pub fn unwrap(&mut self, token: &[u8]) -> Result<Unwrapped, Error> {
        let (header, body) = Header::read(token, WRAP)?;
        self.check(&header)?;
        let usage = seal_usage(!self.is_acceptor);
        let mut body = body.to_vec();
        let rotation = usize::from(header.rotation);
        if !body.is_empty() {
            let rotation = rotation % body.len();
            body.rotate_left(rotation);
        }
        let sealed = header.flags & SEALED != 0;
        let extra = usize::from(header.extra);
        let unrotated = Header { rotation: 0, ..header };
        let message = if sealed {
            let mut plain = self.key.decrypt(usage, &body, WHAT)?;
            let end = plain.len().checked_sub(HEADER_BYTES).ok_or(MALFORMED)?;
            if plain[end..] != unrotated.encode() {
                return Err(Error::Integrity { what: WHAT });
            }
            plain.truncate(end.checked_sub(extra).ok_or(MALFORMED)?);
            plain
        } else {
            let end = body.len().checked_sub(extra).ok_or(MALFORMED)?;
            let checksum = body.split_off(end);
            let bare = Header { extra: 0, ..unrotated };
            if !self.key.verify(usage, &[&body, &bare.encode()], &checksum) {
                return Err(Error::Integrity { what: WHAT });
            }
            body
        };
        self.next_received = self.next_received.wrapping_add(1);
        Ok(Unwrapped { message, sealed })
    }

    /// A signature of a message that is sent beside it.
    pub fn sign(&mut self, message: &[u8]) -> Vec<u8> {
        let header = Header {
            kind: SIGNATURE,
            flags: self.own_flags(),
            extra: u16::MAX,
            rotation: u16::MAX,
            sequence: self.take_sequence(),
        };
        let header = header.encode();
        let checksum = self.key.checksum(sign_usage(self.is_acceptor), &[message, &header]);
        [header.as_slice(), &checksum].concat()
    }

    /// Checks the peer's next signature.
    ///
    /// # Errors
    ///
    /// The token is malformed, does not belong to the message, or is not the next one.
    pub fn verify(&mut self, message: &[u8], token: &[u8]) -> Result<(), Error> {
        let (header, checksum) = Header::read(token, SIGNATURE)?;
        self.check(&header)?;
        let usage = sign_usage(!self.is_acceptor);
        if !self.key.verify(usage, &[message, &header.encode()], checksum) {
            return Err(Error::Integrity { what: WHAT });
        }
        self.next_received = self.next_received.wrapping_add(1);
        Ok(())
    }

    fn own_flags(&self) -> u8 {
        let sender = if self.is_acceptor { SENT_BY_ACCEPTOR } else { 0 };
        let key = if self.key_is_acceptors { ACCEPTOR_SUBKEY } else { 0 };
        sender | key
    }

    fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sent;
        self.next_sent = sequence.wrapping_add(1);
        sequence
    }

    fn check(&self, header: &Header) -> Result<(), Error> {
        let from_acceptor = header.flags & SENT_BY_ACCEPTOR != 0;
        let with_subkey = header.flags & ACCEPTOR_SUBKEY != 0;
        if from_acceptor == self.is_acceptor || with_subkey != self.key_is_acceptors {
            return Err(Error::Integrity { what: WHAT });
        }
        if header.sequence != self.next_received {
            return Err(Error::OutOfOrder { what: WHAT });
        }
        Ok(())
    }
}

const WHAT: &str = "protected message";
const MALFORMED: Error = Error::Malformed { what: WHAT };

const WRAP: [u8; 2] = [5, 4];
const SIGNATURE: [u8; 2] = [4, 4];

const SENT_BY_ACCEPTOR: u8 = 1;
const SEALED: u8 = 2;
const ACCEPTOR_SUBKEY: u8 = 4;

const HEADER_BYTES: usize = 16;

fn seal_usage(by_acceptor: bool) -> Usage {
    if by_acceptor { Usage::ACCEPTOR_SEAL } else { Usage::INITIATOR_SEAL }
}

fn sign_usage(by_acceptor: bool) -> Usage {
    if by_acceptor { Usage::ACCEPTOR_SIGN } else { Usage::INITIATOR_SIGN }
}

/// The sixteen octets before every token. A signature has filler where a wrapped message has the
/// count of extra octets and of those that were rotated.
struct Header {
    kind: [u8; 2],
    flags: u8,
    extra: u16,
    rotation: u16,
    sequence: u64,
}

impl Header {
    fn read(token: &[u8], expected: [u8; 2]) -> Result<(Self, &[u8]), Error> {
        if token.len() > limits::LAYER_BYTES_MAX {
            return Err(Error::TooLarge {
                what: WHAT,
                found: token.len(),
                limit: limits::LAYER_BYTES_MAX,
            });
        }
        let Some((header, body)) = token.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Error::Truncated { what: WHAT, missing: HEADER_BYTES - token.len() });
        };
        let &[a, b, flags, filler, e0, e1, r0, r1, s0, s1, s2, s3, s4, s5, s6, s7] = header;
        if [a, b] != expected || filler != 0xff {
            return Err(MALFORMED);
        }
        let header = Self {
            kind: expected,
            flags,
            extra: u16::from_be_bytes([e0, e1]),
            rotation: u16::from_be_bytes([r0, r1]),
            sequence: u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]),
        };
        Ok((header, body))
    }

    fn encode(&self) -> [u8; HEADER_BYTES] {
        let [a, b] = self.kind;
        let [e0, e1] = self.extra.to_be_bytes();
        let [r0, r1] = self.rotation.to_be_bytes();
        let [s0, s1, s2, s3, s4, s5, s6, s7] = self.sequence.to_be_bytes();
        [a, b, self.flags, 0xff, e0, e1, r0, r1, s0, s1, s2, s3, s4, s5, s6, s7]
    }
}
