//! The ClientHello, as far as a server's mood may depend on it (RFC 5246, section 7.4.1.2).
//!
//! rustls reads it too. This reading comes first, because some of the servers that a DC may have to
//! be take a hello that rustls refuses, such as one without signature algorithms (TLS 1.0), and
//! because a server that misbehaves must not be rustls from the first byte on.

use rustls::SignatureScheme;

/// What a client said first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientHello {
    /// The newest version up to TLS 1.2 that the client speaks, as a number: 0x0303.
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    /// Cipher suites in the client's order.
    pub(crate) suites: Vec<u16>,
    /// The name in the server name indication, in lower case.
    pub(crate) server_name: Option<String>,
    /// Groups in the client's order; `None` without that extension.
    pub(crate) groups: Option<Vec<u16>>,
    /// Signature schemes in the client's order.
    pub(crate) schemes: Vec<SignatureScheme>,
    /// Whether the client asks for the indication of RFC 5746.
    pub(crate) secure_renegotiation: bool,
    /// The message without records.
    pub(crate) message: Vec<u8>,
}

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The beginning of what may become a hello.
    Incomplete,
    /// A hello, and how many bytes its records take.
    Hello(Box<ClientHello>, usize),
    /// Something else.
    Other,
}

/// Longest hello read: that of rustls.
const HELLO_BYTES_MAX: usize = 0xffff;

impl First {
    /// Looks at what has arrived so far.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut message = Vec::new();
        let mut used = 0;
        loop {
            match bytes[used..] {
                [22, 3, _, high, low, ref rest @ ..] => {
                    let size = usize::from(u16::from_be_bytes([high, low]));
                    let Some(fragment) = rest.get(..size) else {
                        return if message.len() + size > 4 + HELLO_BYTES_MAX {
                            Self::Other
                        } else {
                            Self::Incomplete
                        };
                    };
                    message.extend_from_slice(fragment);
                    used += 5 + size;
                }
                ref rest if rest.len() < 5 && [22, 3].starts_with(&rest[..rest.len().min(2)]) => {
                    return Self::Incomplete;
                }
                _ => return Self::Other,
            }
            let [1, high, middle, low, ..] = message[..] else {
                if message.len() >= 4 {
                    return Self::Other;
                }
                continue;
            };
            let size = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            if size > HELLO_BYTES_MAX {
                return Self::Other;
            }
            if message.len() < 4 + size {
                continue;
            }
            // What follows the hello in its last record is nobody's affair yet: refuse it.
            return match ClientHello::read(&message) {
                Some(hello) if message.len() == 4 + size => Self::Hello(Box::new(hello), used),
                _ => Self::Other,
            };
        }
    }
}

impl ClientHello {
    /// Reads a whole handshake message.
    fn read(message: &[u8]) -> Option<Self> {
        let mut body = Reader(message.get(4..)?);
        let version = body.number()?;
        let random = body.take(32)?.try_into().ok()?;
        let _session_id = body.vector8()?;
        let suites = body.vector16()?.numbers()?;
        let _compression_methods = body.vector8()?;
        let mut hello = Self {
            version: version.min(0x0303),
            random,
            secure_renegotiation: suites.contains(&SECURE_RENEGOTIATION_SUITE),
            suites,
            server_name: None,
            groups: None,
            schemes: Vec::new(),
            message: message.to_vec(),
        };
        if body.0.is_empty() {
            return Some(hello);
        }
        let mut extensions = body.vector16()?;
        while !extensions.0.is_empty() {
            let (kind, mut content) = (extensions.number()?, extensions.vector16()?);
            match kind {
                SERVER_NAME => hello.server_name = content.server_name(),
                SUPPORTED_GROUPS => hello.groups = Some(content.vector16()?.numbers()?),
                SIGNATURE_ALGORITHMS => {
                    let schemes = content.vector16()?.numbers()?;
                    hello.schemes = schemes.into_iter().map(SignatureScheme::from).collect();
                }
                RENEGOTIATION_INFO => hello.secure_renegotiation = true,
                _ => {}
            }
        }
        Some(hello)
    }
}

// Numbers of the IANA registries.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const RENEGOTIATION_INFO: u16 = 0xff01;
const SECURE_RENEGOTIATION_SUITE: u16 = 0x00ff;

/// Reads from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Bytes behind their count in one byte.
    pub(super) fn vector8(&mut self) -> Option<Self> {
        let size = usize::from(self.byte()?);
        self.take(size).map(Self)
    }

    /// Bytes behind their count in two bytes.
    pub(super) fn vector16(&mut self) -> Option<Self> {
        let size = usize::from(self.number()?);
        self.take(size).map(Self)
    }

    fn numbers(mut self) -> Option<Vec<u16>> {
        let mut numbers = Vec::with_capacity(self.0.len() / 2);
        while !self.0.is_empty() {
            numbers.push(self.number()?);
        }
        Some(numbers)
    }

    /// The first host name of the extension (RFC 6066, section 3).
    fn server_name(&mut self) -> Option<String> {
        let mut names = self.vector16()?;
        let (kind, name) = (names.byte()?, names.vector16()?);
        let name = std::str::from_utf8(name.0).ok()?;
        (kind == 0 && name.is_ascii()).then(|| name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::aws_lc_rs};

    use super::*;

    fn hello_of_rustls() -> Vec<u8> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let name = "DC1.corp.example".try_into().unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        hello
    }

    #[test]
    fn a_hello_is_read_when_it_is_whole() {
        let bytes = hello_of_rustls();
        for end in 0..bytes.len() {
            assert_eq!(First::of(&bytes[..end]), First::Incomplete, "{end} bytes");
        }
        let First::Hello(hello, used) = First::of(&bytes) else { panic!("no hello") };
        assert_eq!(used, bytes.len());
        assert_eq!(hello.version, 0x0303);
        assert_eq!(hello.server_name.as_deref(), Some("dc1.corp.example"));
        assert!(hello.suites.contains(&0xc030));
        assert!(hello.groups.unwrap().contains(&24));
        assert!(hello.schemes.contains(&SignatureScheme::RSA_PSS_SHA256));
    }

    #[test]
    fn a_hello_may_come_in_several_records() {
        let whole = hello_of_rustls();
        let body = &whole[5..];
        let (head, tail) = body.split_at(60);
        let record = |fragment: &[u8]| {
            [&[22, 3, 1][..], &u16::try_from(fragment.len()).unwrap().to_be_bytes(), fragment]
                .concat()
        };
        let First::Hello(hello, used) = First::of(&[record(head), record(tail)].concat()) else {
            panic!("no hello")
        };
        assert_eq!(used, whole.len() + 5);
        assert_eq!(hello.message, body);
    }

    #[test]
    fn what_is_no_hello_is_left_alone() {
        for bytes in [&b"GET / HTTP/1.0\r\n"[..], b"0\x0c\x02\x01\x01", b"\x80\x2e\x01\x00\x02"] {
            assert_eq!(First::of(bytes), First::Other);
        }
        assert_eq!(First::of(b""), First::Incomplete);
        assert_eq!(First::of(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00"), First::Other);
        assert_eq!(First::of(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff"), First::Other);
        assert_eq!(First::of(b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03"), First::Other);
        assert_eq!(First::of(b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03x"), First::Other);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes: Vec<u8>, at in 0..200_usize, byte: u8) {
            let _ = First::of(&bytes);
            let mut hello = hello_of_rustls();
            hello[at] = byte;
            let _ = First::of(&hello);
        }
    }
}
