//! Why bytes are no LDAP message.

use crate::{
    LdapMessage, ProtocolOp, ResultCode,
    limits::LimitName,
    message::{ExtendedResponse, extended},
    result::LdapResult,
};

/// Bytes that are no LDAP message: where, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct DecodeError {
    /// Position in the bytes given to [`decode`](crate::decode()).
    pub offset: usize,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    pub(crate) const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }

    /// The unsolicited notice of disconnection (RFC 4511 §4.4.1) that a server may send before
    /// it closes. Samba 4.22 closes without one (capture `garbage`).
    pub fn notice_of_disconnection(&self) -> LdapMessage {
        let result = LdapResult::new(ResultCode::PROTOCOL_ERROR, self.to_string());
        notice_of_disconnection(result)
    }
}

/// The unsolicited notification that ends a connection (RFC 4511 §4.4.1).
pub(crate) fn notice_of_disconnection(result: LdapResult) -> LdapMessage {
    let name = Some(extended::NOTICE_OF_DISCONNECTION.to_owned());
    LdapMessage::new(
        0,
        ProtocolOp::ExtendedResponse(ExtendedResponse { result, name, value: None }),
    )
}

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A substring filter or a reference without any part.
    #[error("empty {what}")]
    Empty {
        /// What must have a part.
        what: &'static str,
    },
    /// An element ends after the element that contains it.
    #[error("element of {size} bytes where {available} are left")]
    Overrun {
        /// Claimed size.
        size: usize,
        /// Bytes left in the surrounding element.
        available: usize,
    },
    /// The indefinite form of a length, which RFC 4511 §5.1 forbids.
    #[error("indefinite length")]
    IndefiniteLength,
    /// A length written with more than eight bytes.
    #[error("length of {bytes} bytes")]
    LongLength {
        /// Number of bytes of the length.
        bytes: usize,
    },
    /// A limit was crossed.
    #[error("more than {limit} {name}")]
    LimitCrossed {
        /// Which limit.
        name: LimitName,
        /// Its value.
        limit: usize,
    },
    /// The surrounding element ends before an element that must be there.
    #[error("missing {expected}")]
    Missing {
        /// The element.
        expected: &'static str,
    },
    /// Text that is not UTF-8, where RFC 4511 asks for it.
    #[error("{field} is not UTF-8")]
    NotUtf8 {
        /// Which text.
        field: &'static str,
    },
    /// A number outside its range.
    #[error("{field} is out of range")]
    OutOfRange {
        /// Which number.
        field: &'static str,
    },
    /// Bytes after the last element of a sequence that takes no more.
    #[error("{count} unexpected bytes after {what}")]
    TrailingBytes {
        /// How many.
        count: usize,
        /// After what.
        what: &'static str,
    },
    /// Another tag than the one that must stand here.
    #[error("tag {found:#04x} instead of {expected}")]
    UnexpectedTag {
        /// What must stand here.
        expected: &'static str,
        /// The tag found.
        found: u8,
    },
    /// A protocol operation that RFC 4511 does not define.
    #[error("unknown protocol operation {tag:#04x}")]
    UnknownOperation {
        /// Its tag.
        tag: u8,
    },
}
