//! Results of operations.

use std::fmt;

/// A result code: an open set (RFC 4511 §4.1.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultCode(pub u32);

macro_rules! result_codes {
    ($($constant:ident = $number:literal $name:literal,)*) => {
        impl ResultCode {
            $(#[doc = concat!("`", $name, "` (RFC 4511 §4.1.9).")]
            pub const $constant: Self = Self($number);)*

            /// The name of RFC 4511, for the codes that it defines.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

result_codes! {
    SUCCESS = 0 "success",
    OPERATIONS_ERROR = 1 "operationsError",
    PROTOCOL_ERROR = 2 "protocolError",
    TIME_LIMIT_EXCEEDED = 3 "timeLimitExceeded",
    SIZE_LIMIT_EXCEEDED = 4 "sizeLimitExceeded",
    COMPARE_FALSE = 5 "compareFalse",
    COMPARE_TRUE = 6 "compareTrue",
    AUTH_METHOD_NOT_SUPPORTED = 7 "authMethodNotSupported",
    STRONGER_AUTH_REQUIRED = 8 "strongerAuthRequired",
    REFERRAL = 10 "referral",
    ADMIN_LIMIT_EXCEEDED = 11 "adminLimitExceeded",
    UNAVAILABLE_CRITICAL_EXTENSION = 12 "unavailableCriticalExtension",
    CONFIDENTIALITY_REQUIRED = 13 "confidentialityRequired",
    SASL_BIND_IN_PROGRESS = 14 "saslBindInProgress",
    NO_SUCH_ATTRIBUTE = 16 "noSuchAttribute",
    UNDEFINED_ATTRIBUTE_TYPE = 17 "undefinedAttributeType",
    INAPPROPRIATE_MATCHING = 18 "inappropriateMatching",
    CONSTRAINT_VIOLATION = 19 "constraintViolation",
    ATTRIBUTE_OR_VALUE_EXISTS = 20 "attributeOrValueExists",
    INVALID_ATTRIBUTE_SYNTAX = 21 "invalidAttributeSyntax",
    NO_SUCH_OBJECT = 32 "noSuchObject",
    ALIAS_PROBLEM = 33 "aliasProblem",
    INVALID_DN_SYNTAX = 34 "invalidDNSyntax",
    ALIAS_DEREFERENCING_PROBLEM = 36 "aliasDereferencingProblem",
    INAPPROPRIATE_AUTHENTICATION = 48 "inappropriateAuthentication",
    INVALID_CREDENTIALS = 49 "invalidCredentials",
    INSUFFICIENT_ACCESS_RIGHTS = 50 "insufficientAccessRights",
    BUSY = 51 "busy",
    UNAVAILABLE = 52 "unavailable",
    UNWILLING_TO_PERFORM = 53 "unwillingToPerform",
    LOOP_DETECT = 54 "loopDetect",
    NAMING_VIOLATION = 64 "namingViolation",
    OBJECT_CLASS_VIOLATION = 65 "objectClassViolation",
    NOT_ALLOWED_ON_NON_LEAF = 66 "notAllowedOnNonLeaf",
    NOT_ALLOWED_ON_RDN = 67 "notAllowedOnRDN",
    ENTRY_ALREADY_EXISTS = 68 "entryAlreadyExists",
    OBJECT_CLASS_MODS_PROHIBITED = 69 "objectClassModsProhibited",
    AFFECTS_MULTIPLE_DSAS = 71 "affectsMultipleDSAs",
    OTHER = 80 "other",
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "result {}", self.0),
        }
    }
}

/// The result of an operation (`LDAPResult`, RFC 4511 §4.1.9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LdapResult {
    /// The result code.
    pub code: ResultCode,
    /// Name of the last entry that was found on the way to the one asked for.
    pub matched_dn: String,
    /// Text for people. Bytes that are not UTF-8 are replaced when decoding.
    pub diagnostic: String,
    /// Where else to ask.
    pub referrals: Vec<String>,
}

impl LdapResult {
    /// Success without a text.
    pub fn success() -> Self {
        Self::default()
    }

    /// A result with a text.
    pub fn new(code: ResultCode, diagnostic: impl Into<String>) -> Self {
        Self { code, diagnostic: diagnostic.into(), ..Self::default() }
    }

    /// The same result with a matched DN.
    #[must_use]
    pub fn with_matched_dn(mut self, matched_dn: impl Into<String>) -> Self {
        self.matched_dn = matched_dn.into();
        self
    }

    /// True for success.
    pub fn is_success(&self) -> bool {
        self.code == ResultCode::SUCCESS
    }
}
