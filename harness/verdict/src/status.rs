//! The numbers and names a verdict is told in: GnuTLS status bits and errors, NTSTATUS codes.

use std::{fmt, ops};

use serde::{Serialize, Serializer};

use crate::{der::DerError, pem::PemError};

/// Bits of `gnutls_certificate_status_t` (GnuTLS 3.8.9, samba-tls-verify.md §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusBits(u32);

impl StatusBits {
    /// No fault.
    pub const NONE: Self = Self(0);
    /// Set with every other bit.
    pub const INVALID: Self = Self(0x2);
    /// Listed in the CRL file.
    pub const REVOKED: Self = Self(0x20);
    /// No issuer on the wire or in the trust set.
    pub const SIGNER_NOT_FOUND: Self = Self(0x40);
    /// The issuer is no CA.
    pub const SIGNER_NOT_CA: Self = Self(0x80);
    /// A weak hash or key.
    pub const INSECURE_ALGORITHM: Self = Self(0x100);
    /// Not yet valid.
    pub const NOT_ACTIVATED: Self = Self(0x200);
    /// No longer valid.
    pub const EXPIRED: Self = Self(0x400);
    /// The signature does not match.
    pub const SIGNATURE_FAILURE: Self = Self(0x800);
    /// The certificate does not have the wanted name.
    pub const UNEXPECTED_OWNER: Self = Self(0x4000);
    /// A CA may not issue this certificate.
    pub const SIGNER_CONSTRAINTS_FAILURE: Self = Self(0x1_0000);
    /// Extended key usage; Samba never asks for this check.
    pub const PURPOSE_MISMATCH: Self = Self(0x4_0000);
    /// A stapled OCSP answer was demanded by the certificate and not sent.
    pub const MISSING_OCSP_STATUS: Self = Self(0x8_0000);
    /// A stapled OCSP answer is of no use.
    pub const INVALID_OCSP_STATUS: Self = Self(0x10_0000);
    /// A critical extension that GnuTLS does not know.
    pub const UNKNOWN_CRIT_EXTENSIONS: Self = Self(0x20_0000);

    /// Name, bit, and the word of Samba's message if it has one, in the order Samba prints them.
    const TABLE: [(&str, Self, Option<&str>); 14] = [
        ("INVALID", Self::INVALID, Some("invalid ")),
        ("REVOKED", Self::REVOKED, Some("revoked ")),
        ("SIGNER_NOT_FOUND", Self::SIGNER_NOT_FOUND, Some("signer_not_found ")),
        ("SIGNER_NOT_CA", Self::SIGNER_NOT_CA, Some("signer_not_ca ")),
        ("INSECURE_ALGORITHM", Self::INSECURE_ALGORITHM, Some("insecure_algorithm ")),
        ("NOT_ACTIVATED", Self::NOT_ACTIVATED, Some("not_activated ")),
        ("EXPIRED", Self::EXPIRED, Some("expired ")),
        ("SIGNATURE_FAILURE", Self::SIGNATURE_FAILURE, None),
        ("UNEXPECTED_OWNER", Self::UNEXPECTED_OWNER, Some("unexpected_owner ")),
        ("SIGNER_CONSTRAINTS_FAILURE", Self::SIGNER_CONSTRAINTS_FAILURE, None),
        ("PURPOSE_MISMATCH", Self::PURPOSE_MISMATCH, None),
        ("MISSING_OCSP_STATUS", Self::MISSING_OCSP_STATUS, None),
        ("INVALID_OCSP_STATUS", Self::INVALID_OCSP_STATUS, None),
        ("UNKNOWN_CRIT_EXTENSIONS", Self::UNKNOWN_CRIT_EXTENSIONS, None),
    ];

    /// The number GnuTLS returns.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether `other` has all of these bits.
    pub(crate) const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Names of the set bits, lowest first.
    pub fn names(self) -> Vec<&'static str> {
        Self::TABLE.iter().filter(|row| self.has(row.1)).map(|row| row.0).collect()
    }

    /// What Samba prints in brackets behind the number: a word and a blank for some of the bits.
    pub fn samba_words(self) -> String {
        Self::TABLE.iter().filter(|row| self.has(row.1)).filter_map(|row| row.2).collect()
    }
}

impl ops::BitOr for StatusBits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitOrAssign for StatusBits {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for StatusBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Serialize for StatusBits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! gnutls_errors {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $text:literal;)*) => {
        /// Errors of GnuTLS 3.8.9 that end a connection or a configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum GnutlsError {
            $($(#[$doc])* $variant,)*
        }

        impl GnutlsError {
            /// What `gnutls_strerror_name` returns: `GNUTLS_E_…`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What `gnutls_strerror` returns.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

gnutls_errors! {
    /// Broken DER.
    Asn1DerError = "GNUTLS_E_ASN1_DER_ERROR", "ASN1 parser: Error in DER parsing.";
    /// An ASN.1 element that is not there.
    Asn1ElementNotFound =
        "GNUTLS_E_ASN1_ELEMENT_NOT_FOUND", "ASN1 parser: Element was not found.";
    /// Another ASN.1 element than expected.
    Asn1TagError = "GNUTLS_E_ASN1_TAG_ERROR", "ASN1 parser: Error in TAG.";
    /// A time that is not written as DER wants it.
    Asn1TimeError = "GNUTLS_E_ASN1_TIME_ERROR", "The DER time encoding is invalid.";
    /// Broken base64, or no CRL in a CRL file.
    Base64DecodingError = "GNUTLS_E_BASE64_DECODING_ERROR", "Base64 decoding error.";
    /// Neither of the two PEM labels could be decoded.
    Base64UnexpectedHeaderError =
        "GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR", "Base64 unexpected header error.";
    /// A certificate that makes no sense.
    CertificateError = "GNUTLS_E_CERTIFICATE_ERROR", "Error in the certificate.";
    /// A validity that cannot be computed.
    CertificateTimeError = "GNUTLS_E_CERTIFICATE_TIME_ERROR", "Error in the time fields of certificate.";
    /// Too many certificates.
    ConstraintError = "GNUTLS_E_CONSTRAINT_ERROR", "Some constraint limits were reached.";
    /// A record that cannot be decrypted.
    DecryptionFailed = "GNUTLS_E_DECRYPTION_FAILED", "Decryption has failed.";
    /// A curve that was not offered.
    EccUnsupportedCurve = "GNUTLS_E_ECC_UNSUPPORTED_CURVE", "The curve is unsupported";
    /// A Finished message with a wrong check value.
    ErrorInFinishedPacket =
        "GNUTLS_E_ERROR_IN_FINISHED_PACKET", "An error was encountered at the TLS Finished packet calculation.";
    /// The server gave up and said so.
    FatalAlertReceived = "GNUTLS_E_FATAL_ALERT_RECEIVED", "A TLS fatal alert has been received.";
    /// A handshake message of more than 128 KiB.
    HandshakeTooLarge = "GNUTLS_E_HANDSHAKE_TOO_LARGE", "The handshake data size is too large.";
    /// A priority string that is none.
    InvalidRequest = "GNUTLS_E_INVALID_REQUEST", "The request is invalid.";
    /// The leaf's key usage forbids what the handshake does with its key.
    KeyUsageViolation =
        "GNUTLS_E_KEY_USAGE_VIOLATION", "Key usage violation in certificate has been detected.";
    /// A server without a certificate.
    NoCertificateFound = "GNUTLS_E_NO_CERTIFICATE_FOUND", "No certificate was found.";
    /// A priority string that enables nothing.
    NoPrioritiesWereSet =
        "GNUTLS_E_NO_PRIORITIES_WERE_SET", "No or insufficient priorities were set.";
    /// A signature in the handshake that is not made with the key of the certificate.
    PkSigVerifyFailed =
        "GNUTLS_E_PK_SIG_VERIFY_FAILED", "Public key signature verification has failed.";
    /// The connection was closed in the handshake.
    PrematureTermination =
        "GNUTLS_E_PREMATURE_TERMINATION", "The TLS connection was non-properly terminated.";
    /// The connection was reset or timed out in the handshake.
    PullError = "GNUTLS_E_PULL_ERROR", "Error in the pull function.";
    /// A choice that was not on offer, or one that contradicts another.
    ReceivedIllegalParameter =
        "GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER", "An illegal parameter has been received.";
    /// A record that is longer than TLS allows.
    RecordOverflow =
        "GNUTLS_E_RECORD_OVERFLOW", "A TLS record packet with invalid length was received.";
    /// The connection was closed in the handshake, with notice.
    SessionEof = "GNUTLS_E_SESSION_EOF", "Peer has terminated the connection";
    /// A handshake message out of turn.
    UnexpectedHandshakePacket =
        "GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET", "An unexpected TLS handshake packet was received.";
    /// What came is no TLS.
    UnexpectedPacket = "GNUTLS_E_UNEXPECTED_PACKET", "An unexpected TLS packet was received.";
    /// A message whose size does not fit its parts, or an empty record.
    UnexpectedPacketLength =
        "GNUTLS_E_UNEXPECTED_PACKET_LENGTH", "A TLS record packet with invalid length was received.";
    /// Something GnuTLS knows but cannot do.
    UnimplementedFeature =
        "GNUTLS_E_UNIMPLEMENTED_FEATURE", "An unimplemented or disabled feature has been requested.";
    /// A cipher suite that was not offered.
    UnknownCipherSuite =
        "GNUTLS_E_UNKNOWN_CIPHER_SUITE", "Could not negotiate a supported cipher suite.";
    /// No group or version that both sides know.
    UnsupportedVersionPacket = "GNUTLS_E_UNSUPPORTED_VERSION_PACKET", "A packet with illegal or unsupported version was received.";
    /// Two extensions of one kind.
    X509DuplicateExtension =
        "GNUTLS_E_X509_DUPLICATE_EXTENSION", "Duplicate extension in X.509 certificate.";
    /// A form of name GnuTLS does not know.
    X509UnknownSan = "GNUTLS_E_X509_UNKNOWN_SAN", "Unknown Subject Alternative name in X.509 certificate.";
}

impl GnutlsError {
    /// What Samba's `gnutls_error_to_ntstatus` makes of it where no other status is given.
    pub const fn ntstatus(self) -> NtStatus {
        match self {
            Self::DecryptionFailed => NtStatus::DecryptionFailed,
            Self::InvalidRequest => NtStatus::InvalidVariant,
            _ => NtStatus::InternalError,
        }
    }
}

impl fmt::Display for GnutlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for GnutlsError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl From<DerError> for GnutlsError {
    fn from(error: DerError) -> Self {
        match error {
            DerError::Structure => Self::Asn1DerError,
            DerError::Tag => Self::Asn1TagError,
            DerError::Time => Self::Asn1TimeError,
        }
    }
}

impl From<PemError> for GnutlsError {
    fn from(error: PemError) -> Self {
        match error {
            PemError::Decoding => Self::Base64DecodingError,
            PemError::UnexpectedHeader => Self::Base64UnexpectedHeaderError,
        }
    }
}

/// Status codes Samba ends a connection with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NtStatus {
    /// A CA or CRL file that cannot be used.
    CantAccessDomainInfo,
    /// A record that cannot be decrypted.
    DecryptionFailed,
    /// The verdict of a verification.
    ImageCertRevoked,
    /// Almost every GnuTLS error.
    InternalError,
    /// Settings that do not go together.
    InvalidParameterMix,
    /// A priority string that is none.
    InvalidVariant,
    /// All is well.
    Ok,
    /// The peer name makes no LDAP URI; Samba reports an LDAP error, not an NTSTATUS.
    Unsuccessful,
}

impl NtStatus {
    /// `NT_STATUS_…`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CantAccessDomainInfo => "NT_STATUS_CANT_ACCESS_DOMAIN_INFO",
            Self::DecryptionFailed => "NT_STATUS_DECRYPTION_FAILED",
            Self::ImageCertRevoked => "NT_STATUS_IMAGE_CERT_REVOKED",
            Self::InternalError => "NT_STATUS_INTERNAL_ERROR",
            Self::InvalidParameterMix => "NT_STATUS_INVALID_PARAMETER_MIX",
            Self::InvalidVariant => "NT_STATUS_INVALID_VARIANT",
            Self::Ok => "NT_STATUS_OK",
            Self::Unsuccessful => "NT_STATUS_UNSUCCESSFUL",
        }
    }

    /// The sentence that ends Samba's error line (samba-tls-verify.md §10).
    pub const fn text(self) -> &'static str {
        match self {
            Self::CantAccessDomainInfo => {
                "Configuration information could not be read from the domain controller, either \
                 because the machine is unavailable or access has been denied."
            }
            // As `net` 4.22.6 says it of the fault `handshake.damaged-record`.
            Self::DecryptionFailed => "The file decryption attempt failed.",
            Self::ImageCertRevoked => {
                "Windows cannot verify the digital signature for this file. The signing \
                 certificate for this file has been revoked."
            }
            Self::InternalError => "An internal error occurred.",
            Self::InvalidParameterMix => "An invalid combination of parameters was specified.",
            Self::InvalidVariant => "The supplied variant structure contains invalid data.",
            Self::Ok => "The operation completed successfully.",
            Self::Unsuccessful => "Operations error",
        }
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for NtStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
