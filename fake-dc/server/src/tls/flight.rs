//! What a server says before it hears of the client again, taken apart so that a fault can change it.
//!
//! ```text
//! TLS 1.2                                    TLS 1.3
//! ServerHello                                ServerHello
//! Certificate                                [records that cannot be read]
//! ServerKeyExchange
//! ServerHelloDone
//! ```

use super::own::{HANDSHAKE, size24};

/// The server's first flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    /// Version in the headers of the records.
    pub(crate) version: u16,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A handshake message: type and body.
    Message(u8, Vec<u8>),
    /// Bytes that are sent as they are.
    Raw(Vec<u8>),
}

/// Type of the handshake message that comes first.
pub(crate) const SERVER_HELLO: u8 = 2;

impl Flight {
    /// Takes records apart. What is cut off at the end is dropped.
    pub(crate) fn parse(mut bytes: &[u8]) -> Self {
        let mut flight = Self { version: 0x0303, parts: Vec::new() };
        let mut messages = Vec::new();
        while let [kind, major, minor, high, low, rest @ ..] = bytes {
            let size = usize::from(u16::from_be_bytes([*high, *low]));
            let Some((fragment, rest)) = rest.split_at_checked(size) else { break };
            if *kind == HANDSHAKE {
                flight.version = u16::from_be_bytes([*major, *minor]);
                messages.extend_from_slice(fragment);
            } else {
                flight.take_messages(&mut messages);
                flight.parts.push(Part::Raw(bytes[..5 + size].to_vec()));
            }
            bytes = rest;
        }
        flight.take_messages(&mut messages);
        flight
    }

    fn take_messages(&mut self, messages: &mut Vec<u8>) {
        let mut rest = &messages[..];
        while let [kind, high, middle, low, body @ ..] = rest {
            let size = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            let Some((body, after)) = body.split_at_checked(size) else { break };
            self.parts.push(Part::Message(*kind, body.to_vec()));
            rest = after;
        }
        messages.clear();
    }

    /// Drops everything behind the ServerHello.
    pub(crate) fn keep_server_hello(&mut self) {
        self.parts.truncate(1);
    }

    /// The body of the message of that type.
    pub(crate) fn message_mut(&mut self, wanted: u8) -> Option<&mut Vec<u8>> {
        self.parts.iter_mut().find_map(|part| match part {
            Part::Message(kind, body) if *kind == wanted => Some(body),
            _ => None,
        })
    }

    /// Adds bytes behind everything.
    pub(crate) fn push(&mut self, raw: Vec<u8>) {
        self.parts.push(Part::Raw(raw));
    }

    /// Records again, messages that follow each other in as few as possible.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for parts in
            self.parts.chunk_by(|a, b| matches!((a, b), (Part::Message(..), Part::Message(..))))
        {
            let mut messages = Vec::new();
            for part in parts {
                match part {
                    Part::Message(kind, body) => messages.extend(message(*kind, body)),
                    Part::Raw(raw) => bytes.extend_from_slice(raw),
                }
            }
            for fragment in messages.chunks(FRAGMENT_BYTES) {
                bytes.extend(record(HANDSHAKE, self.version, fragment));
            }
        }
        bytes
    }
}

/// Most bytes of handshake messages in one record.
const FRAGMENT_BYTES: usize = 1 << 14;

/// A record with that fragment, which must not be longer than 65,535 bytes.
pub(crate) fn record(kind: u8, version: u16, fragment: &[u8]) -> Vec<u8> {
    let [major, minor] = version.to_be_bytes();
    let [high, low] = u16::try_from(fragment.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, major, minor, high, low], fragment].concat()
}

/// A handshake message with that body.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [high, middle, low] = size24(body.len());
    [&[kind, high, middle, low], body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: u8 = 11;

    #[test]
    fn a_flight_is_the_same_put_together_again() {
        let messages =
            [message(SERVER_HELLO, b"hello"), message(CERTIFICATE, &[7; 20_000])].concat();
        let tls12: Vec<u8> =
            messages.chunks(1 << 14).flat_map(|part| record(22, 0x0303, part)).collect();
        assert_eq!(Flight::parse(&tls12).to_bytes(), tls12);
        let tls13 = [
            record(22, 0x0303, &message(SERVER_HELLO, b"hello")),
            record(20, 0x0303, &[1]),
            record(23, 0x0303, b"sealed"),
        ]
        .concat();
        let mut flight = Flight::parse(&tls13);
        assert_eq!(flight.to_bytes(), tls13);
        flight.keep_server_hello();
        assert_eq!(flight.to_bytes(), record(22, 0x0303, &message(SERVER_HELLO, b"hello")));
        flight.message_mut(SERVER_HELLO).unwrap().push(b'!');
        flight.push(b"raw".to_vec());
        let changed = [&record(22, 0x0303, &message(SERVER_HELLO, b"hello!"))[..], b"raw"].concat();
        assert_eq!(flight.to_bytes(), changed);
    }

    #[test]
    fn cut_records_are_dropped() {
        assert_eq!(Flight::parse(b"\x16\x03\x03\x00\x05\x02\x00").to_bytes(), b"");
        assert_eq!(Flight::parse(b"\x16\x03\x03\x00\x04\x02\x00\x00\x09").to_bytes(), b"");
    }
}
