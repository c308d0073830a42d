//! Error codes.

use std::fmt;

/// A code of a KRB-ERROR (RFC 4120, section 7.5.9). The set is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i32);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        impl ErrorCode {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// Its name in RFC 4120; `None` if it is none of those that this crate uses.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// Requested protocol version is not supported.
    KDC_ERR_BAD_PVNO = 3,
    /// Client is not in the database.
    KDC_ERR_C_PRINCIPAL_UNKNOWN = 6,
    /// Server is not in the database.
    KDC_ERR_S_PRINCIPAL_UNKNOWN = 7,
    /// More than one entry of the database has that name.
    KDC_ERR_PRINCIPAL_NOT_UNIQUE = 8,
    /// Requested ticket would begin in the future.
    KDC_ERR_CANNOT_POSTDATE = 10,
    /// Requested ticket would end before it begins.
    KDC_ERR_NEVER_VALID = 11,
    /// The policy of the KDC forbids it.
    KDC_ERR_POLICY = 12,
    /// An option cannot be granted.
    KDC_ERR_BADOPTION = 13,
    /// No encryption type in common.
    KDC_ERR_ETYPE_NOSUPP = 14,
    /// A kind of pre-authentication data is not supported.
    KDC_ERR_PADATA_TYPE_NOSUPP = 16,
    /// Client's account is disabled, expired or locked.
    KDC_ERR_CLIENT_REVOKED = 18,
    /// Client's password has expired.
    KDC_ERR_KEY_EXPIRED = 23,
    /// Pre-authentication is wrong: the password is.
    KDC_ERR_PREAUTH_FAILED = 24,
    /// Pre-authentication is missing.
    KDC_ERR_PREAUTH_REQUIRED = 25,
    /// The service is a user, and takes tickets made with its own ticket only.
    KDC_ERR_MUST_USE_USER2USER = 27,
    /// The realms on the way of the client are not trusted.
    KDC_ERR_PATH_NOT_ACCEPTED = 28,
    /// A service that the KDC needs is not there.
    KDC_ERR_SVC_UNAVAILABLE = 29,
    /// Integrity check of decrypted data failed.
    KRB_AP_ERR_BAD_INTEGRITY = 31,
    /// Ticket has ended.
    KRB_AP_ERR_TKT_EXPIRED = 32,
    /// Ticket has not begun.
    KRB_AP_ERR_TKT_NYV = 33,
    /// Ticket is not for this service.
    KRB_AP_ERR_NOT_US = 35,
    /// Ticket and authenticator name different clients.
    KRB_AP_ERR_BADMATCH = 36,
    /// The clocks differ by too much.
    KRB_AP_ERR_SKEW = 37,
    /// Message was changed, or made with another key.
    KRB_AP_ERR_MODIFIED = 41,
    /// A checksum that must be there is not, or is of the wrong kind.
    KRB_AP_ERR_INAPP_CKSUM = 50,
    /// Answer does not fit into a datagram; ask over TCP.
    KRB_ERR_RESPONSE_TOO_BIG = 52,
    /// Something else.
    KRB_ERR_GENERIC = 60,
    /// Message is longer than the KDC takes.
    KRB_ERR_FIELD_TOOLONG = 61,
    /// The client's realm is another.
    KDC_ERR_WRONG_REALM = 68,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
