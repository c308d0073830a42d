//! What can go wrong.

use std::{collections::BTreeSet, fmt};

use crate::{algorithm::SignatureAlgorithm, faults::catalogue};

/// Failed to make or to read a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The key that signs is of a type or size that no new one can be made of.
    #[error("{certificate} is signed by a key that cannot be made anew ({key})")]
    KeyBeyondClone {
        /// Which certificate of which file.
        certificate: String,
        /// Type and size of the key.
        key: String,
    },
    /// A DC needs an address.
    #[error("dc `{dc}` has no address")]
    NoAddress {
        /// Short name of the DC.
        dc: String,
    },
    /// A file of certificates or keys cannot be used.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// An RSA key that cannot be made.
    #[error(
        "an RSA key of {bits} bits with the exponent {exponent} cannot be made: \
         a size from {min} to {max} and an odd exponent from 3 can"
    )]
    RsaShape {
        /// The size that was asked for.
        bits: usize,
        /// The public exponent that was asked for.
        exponent: u64,
        /// The smallest size.
        min: usize,
        /// The largest size.
        max: usize,
    },
    /// A CA has been renewed as often as it can be.
    #[error("the CA has been renewed {max} times, and there are no more keys for it")]
    TooManyRenewals {
        /// How often it can be renewed.
        max: usize,
    },
    /// The key is of another kind, or too small.
    #[error("{key} cannot sign {algorithm}")]
    UnfitKey {
        /// The key, such as "an Ed25519 key".
        key: String,
        /// What it should have signed with.
        algorithm: SignatureAlgorithm,
    },
    /// A private key that this crate cannot sign with.
    #[error("the private key is no RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key")]
    UnreadableKey,
    /// No CA certificate has this name.
    #[error("`{name}` is no CA certificate{}", hint(.nearest))]
    UnknownCaCertificate {
        /// What was asked for.
        name: String,
        /// Known names that are spelt alike.
        nearest: Vec<&'static str>,
    },
    /// No certificate fault has this id.
    #[error("`{id}` is no certificate fault{}", hint(.nearest))]
    UnknownFault {
        /// What was asked for.
        id: String,
        /// Known ids that are spelt alike.
        nearest: Vec<&'static str>,
    },
    /// Certificates hold DNS names in ASCII; an international name is written as its A-label.
    #[error("{what} `{name}` cannot be written into a certificate: it is empty or not ASCII")]
    UnwritableName {
        /// What the name is for.
        what: &'static str,
        /// The name.
        name: String,
    },
}

impl PkiError {
    /// What to do about it, where one thing is likely to help.
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::KeyBeyondClone { .. } => Some(
                "clone the chain without the certificate of that key: its signer then becomes a CA \
                 that is not in the input",
            ),
            Self::Pem(error) => Some(error.cause.remedy()),
            Self::TooManyRenewals { .. } => Some("let the scenario renew it less often"),
            Self::UnwritableName { .. } => {
                Some("write international names as A-labels, such as xn--dmne-moa0i.example")
            }
            _ => None,
        }
    }

    pub(crate) fn unknown_fault(id: &str) -> Self {
        Self::UnknownFault {
            id: id.to_owned(),
            nearest: nearest(id, catalogue().map(|fault| fault.id)),
        }
    }
}

/// Up to three of `known` that are spelt like `word`, the most alike first. A missing family
/// (`leaf-expired` for `time.leaf-expired`) is no difference.
pub(crate) fn nearest(
    word: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Vec<&'static str> {
    let mut alike: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| {
            let bare = name.split_once('.').map_or(name, |(_, bare)| bare);
            let distance = |known| strsim::damerau_levenshtein(word, known);
            (distance(name).min(distance(bare)), name)
        })
        .filter(|&(distance, name)| distance * 3 <= name.len())
        .collect();
    alike.sort_unstable();
    let closest = alike.first().map_or(0, |&(distance, _)| distance);
    alike.retain(|&(distance, _)| distance <= 2 * closest);
    alike.into_iter().take(3).map(|(_, name)| name).collect()
}

fn hint(nearest: &[&str]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; did you mean `{}`", names.join("` or `")),
    }
}

/// A file of certificates or keys that cannot be used, with the spot and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemError {
    /// The file, as the caller named it.
    pub file: String,
    /// The block, counted from 1, if one was found.
    pub block: Option<usize>,
    /// The line, counted from 1, if one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub cause: PemCause,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(block) = self.block {
            write!(f, "block {block}: ")?;
        }
        write!(f, "{}", self.cause)
    }
}

impl std::error::Error for PemError {}

/// What is wrong with a PEM file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemCause {
    /// PKCS#7 that is none.
    #[error("it is no PKCS#7 SignedData")]
    BrokenPkcs7,
    /// Base64 that is none.
    #[error("the base64 text is broken")]
    BrokenBase64,
    /// A key that does not start as a DER sequence of its own length.
    #[error("the key is no whole DER structure")]
    BrokenKey,
    /// The file is DER.
    #[error("the file is binary (DER), not PEM")]
    Der,
    /// The block holds nothing.
    #[error("the block is empty")]
    Empty,
    /// A PKCS#7 bag without certificates.
    #[error("the PKCS#7 structure holds no certificate")]
    EmptyPkcs7,
    /// The key needs a password.
    #[error("the key is encrypted")]
    EncryptedKey,
    /// A BEGIN line inside a block.
    #[error("a new block begins inside block `{label}`, which has no END line")]
    Nested {
        /// Label of the block that is open.
        label: String,
    },
    /// No certificate in the file.
    #[error("it holds no certificate{}", only_found(.found))]
    NoCertificate {
        /// The labels it has instead.
        found: BTreeSet<String>,
    },
    /// No key in the file.
    #[error("it holds no private key{}", only_found(.found))]
    NoKey {
        /// The labels it has instead.
        found: BTreeSet<String>,
    },
    /// No PKCS#7 in the file.
    #[error("it holds no PKCS#7 block{}", only_found(.found))]
    NoPkcs7 {
        /// The labels it has instead.
        found: BTreeSet<String>,
    },
    /// Text that is not that of `s_client`.
    #[error("it has no line `Certificate chain`")]
    NoShownChain,
    /// Binary, but no run of DER sequences.
    #[error("it is no certificate in DER")]
    NotDer,
    /// `-showcerts` was left out.
    #[error("the text lists {entries} certificates and shows {shown} of them")]
    NotShown {
        /// Certificates that are listed.
        entries: usize,
        /// Certificates that are there.
        shown: usize,
    },
    /// The text of two calls.
    #[error("a second chain begins here; the first is at line {first}")]
    SecondChain {
        /// The line of the first.
        first: usize,
    },
    /// More than anybody sends.
    #[error("it holds {found} certificates; {limit} are taken")]
    TooMany {
        /// How many it has.
        found: usize,
        /// How many may be.
        limit: usize,
    },
    /// A certificate in OpenSSL's own format.
    #[error("the certificate is in OpenSSL's TRUSTED format")]
    TrustedCertificate,
    /// A block without end.
    #[error("block `{label}` has no END line")]
    Unfinished {
        /// Label of the block.
        label: String,
    },
    /// An END line that does not fit.
    #[error("`END {found}` closes block `{expected}`")]
    WrongEnd {
        /// Label of the open block.
        expected: String,
        /// Label of the END line.
        found: String,
    },
}

impl PemCause {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::BrokenBase64 | Self::Empty | Self::Unfinished { .. } => {
                "copy the block again, whole, from its BEGIN to its END line"
            }
            Self::BrokenKey => "check the key with `openssl pkey -in FILE -noout`",
            Self::Der => "convert it with `openssl x509 -inform DER` or `openssl pkey -inform DER`",
            Self::EncryptedKey => "decrypt it with `openssl pkey -in FILE -out CLEAR`",
            Self::Nested { .. } | Self::WrongEnd { .. } => {
                "put an END line of the same label behind each BEGIN line"
            }
            Self::NoCertificate { .. } => {
                "give the certificates that the server sends, the leaf first, as CERTIFICATE blocks"
            }
            Self::NoKey { .. } => {
                "give the leaf's key as a PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY block"
            }
            Self::BrokenPkcs7 | Self::EmptyPkcs7 | Self::NoPkcs7 { .. } => {
                "export it again, as PKCS#7 with all certificates of the path, or with `openssl \
                 crl2pkcs7 -nocrl -certfile FILE`"
            }
            Self::NoShownChain | Self::NotShown { .. } => {
                "make it with `openssl s_client -connect HOST:636 -showcerts </dev/null`"
            }
            Self::NotDer => "check it with `openssl x509 -inform DER -in FILE`",
            Self::SecondChain { .. } => "give the text of one call",
            Self::TooMany { .. } => "give the chain of one server",
            Self::TrustedCertificate => "convert it with `openssl x509 -in FILE`",
        }
    }
}

fn only_found(labels: &BTreeSet<String>) -> String {
    if labels.is_empty() {
        return ", nor any other PEM block".to_owned();
    }
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    format!(", only {}", labels.join(" and "))
}
