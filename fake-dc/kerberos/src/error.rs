//! What can be wrong with bytes, keys and peers.

use crate::{ErrorCode, EtypeNumber};

/// Why something was not read, not decrypted, or not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end before the value does.
    #[error("{what} ends {missing} bytes early")]
    Truncated {
        /// The value that was being read.
        what: &'static str,
        /// How many bytes there are too few.
        missing: usize,
    },
    /// Another element stands where this one must.
    #[error("{what} has tag {found:#04x} where {expected:#04x} must stand")]
    Tag {
        /// The value that was being read.
        what: &'static str,
        /// The identifier octet that it begins with.
        expected: u8,
        /// The one that stands there.
        found: u8,
    },
    /// Bytes follow the end of a value.
    #[error("{what} is followed by {count} stray bytes")]
    TrailingBytes {
        /// The value that was being read.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// An element is there, and its content cannot be.
    #[error("{what} is malformed")]
    Malformed {
        /// The value that was being read.
        what: &'static str,
    },
    /// A size passes one of [`limits`](crate::limits).
    #[error("{what} of {found} passes the limit of {limit}")]
    TooLarge {
        /// What is large.
        what: &'static str,
        /// How large.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Protected bytes were changed, or another key protected them.
    #[error("integrity check of {what} failed")]
    Integrity {
        /// What was protected.
        what: &'static str,
    },
    /// None of the keys at hand has the encryption type, or none at hand is known.
    #[error("no key of encryption type {found} for {what}")]
    NoKey {
        /// What was to be decrypted.
        what: &'static str,
        /// Its encryption type.
        found: EtypeNumber,
    },
    /// A KDC or acceptor refused, in its own words.
    #[error("refused with error {code}")]
    Refused {
        /// Its error code.
        code: ErrorCode,
    },
    /// This side refuses, and this is what it answers.
    #[error("{reason} (error {code})")]
    Rejected {
        /// The code of the answer.
        code: ErrorCode,
        /// Which check failed.
        reason: &'static str,
    },
    /// An answer does not belong to the request.
    #[error("{what} of the answer is not that of the request")]
    Unexpected {
        /// What differs.
        what: &'static str,
    },
    /// The client did not prove that it means this TLS connection (SEC_E_BAD_BINDINGS).
    #[error("channel bindings are {found}")]
    ChannelBindings {
        /// What is wrong with them.
        found: &'static str,
    },
    /// The client wants to sign or seal within TLS.
    #[error("signing or sealing is asked for within TLS")]
    LayerInsideTls,
    /// A token or message came that the state of the exchange has no place for.
    #[error("{what} out of order")]
    OutOfOrder {
        /// What came.
        what: &'static str,
    },
    /// No mechanism that the peer proposes is ours.
    #[error("no Kerberos among the {proposed} proposed mechanisms")]
    NoMechanism {
        /// How many there were.
        proposed: usize,
    },
}

impl Error {
    pub(crate) const fn rejected(code: ErrorCode, reason: &'static str) -> Self {
        Self::Rejected { code, reason }
    }
}
