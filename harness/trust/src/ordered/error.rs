//! How uploads are refused, and how the table fails.

use super::reasons::named_by_reason;

/// The table cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the keystore cannot be used: {0}")]
pub struct KeystoreError(#[from] rusqlite::Error);

/// A cloud, or a part of one, that does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// Certificates could not be made.
    #[error("certificates cannot be made: {0}")]
    Pki(#[from] fake_dc_pki::PkiError),
    /// The table cannot be used.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A file or socket cannot be used.
    #[error("{what}: {source}")]
    Io {
        /// Whose, and for what.
        what: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is no appliance of that name.
    #[error("there is no appliance `{name}`")]
    NoAppliance {
        /// The name.
        name: String,
    },
    /// The name stands for another appliance.
    #[error("there is an appliance `{name}` already")]
    ApplianceExists {
        /// The name.
        name: String,
    },
    /// There are more appliances than addresses.
    #[error("{limit} appliances are the limit of a cloud")]
    TooManyAppliances {
        /// How many there may be.
        limit: u8,
    },
    /// A global setting is not known.
    #[error("there is no setting `{name}`; known are {known}")]
    NoSetting {
        /// What was given.
        name: String,
        /// All there are.
        known: String,
    },
    /// A global setting cannot have that value.
    #[error("`{value}` is no value of `{name}`: {wanted}")]
    BadSetting {
        /// Which.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
}

/// An upload that was refused; the table is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// A parameter is missing or empty.
    #[error("`{parameter}` is missing")]
    Missing {
        /// Which.
        parameter: &'static str,
    },
    /// A parameter stands twice.
    #[error("`{parameter}` stands twice; give it once")]
    Twice {
        /// Which.
        parameter: &'static str,
    },
    /// The sequence is no positive number.
    #[error("`id` is `{id}`; 1 is the root, 2 and on are intermediates")]
    NoPlace {
        /// What it is.
        id: String,
    },
    /// A text is longer than its column.
    #[error("`{parameter}` has {length} characters, and {limit} are the limit")]
    TooLong {
        /// Which parameter.
        parameter: &'static str,
        /// Its characters.
        length: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A link of the chain came with a key.
    #[error("`privatekey` goes with the server certificate, which carries no `id`; leave one out")]
    IdWithKey,
    /// The server certificate came without its key.
    #[error(
        "neither `id` nor `privatekey` is given: a root or intermediate needs its `id`, the server certificate its key"
    )]
    KeyMissing,
    /// The name belongs to a row of another domain.
    #[error("the name `{name}` is taken by a certificate for `{domain_suffix}`; choose another")]
    NameTaken {
        /// The name.
        name: String,
        /// Whose it is.
        domain_suffix: String,
    },
    /// The row of that name has another place in the chain.
    #[error("`{name}` is {found}; upload it as that, or under another name")]
    OtherPlace {
        /// Name of the row.
        name: String,
        /// What it is in the chain.
        found: String,
    },
    /// The place is taken by a row of another name.
    #[error("{place} is `{name}` already; upload under that name to replace it")]
    PlaceTaken {
        /// Which place.
        place: String,
        /// Name of the row there.
        name: String,
    },
    /// A link is missing before this one.
    #[error("`id` is {id}, but {expected} comes next: intermediates follow in order")]
    Gap {
        /// What was given.
        id: i32,
        /// What would have fit.
        expected: i32,
    },
    /// An intermediate came before the root.
    #[error("`id` is {id}, and there is no root yet: upload that first, with `id` 1")]
    IntermediateBeforeRoot {
        /// What was given.
        id: i32,
    },
    /// The server certificate came before the root.
    #[error(
        "the root comes first: upload it with `id` 1, then intermediates, then the server certificate"
    )]
    ServerBeforeRoot,
    /// A link was added behind a server certificate.
    #[error(
        "the server certificate `{server}` is uploaded already, and ends the chain; replace a link under its name"
    )]
    ChainEnded {
        /// Name of the row of the server certificate.
        server: String,
    },
    /// The text has blanks where base64 has `+`.
    #[error(
        "line {line} of `{parameter}` has a blank where base64 has `+`: the text was not URL-encoded; send `%2B` for each `+`"
    )]
    NotUrlEncoded {
        /// Which parameter.
        parameter: &'static str,
        /// Counted from 1.
        line: usize,
    },
    /// The text is not what it should be.
    #[error("`{parameter}` is not one {wanted} in PEM: {reason}")]
    Malformed {
        /// Which parameter.
        parameter: &'static str,
        /// What it should hold.
        wanted: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The root is signed by another.
    #[error("`{subject}` is no root: it is issued by `{issuer}`; upload that one as `id` 1")]
    NoRoot {
        /// Whom it names.
        subject: String,
        /// Who issued it.
        issuer: String,
    },
    /// A root or intermediate is no CA's.
    #[error("`{subject}` is no CA: its basic constraints do not let it sign certificates")]
    NoAuthority {
        /// Whom it names.
        subject: String,
    },
    /// An intermediate is not signed by the link before it.
    #[error("intermediate `{subject}` is not signed by {previous}, but issued by `{issuer}`")]
    IntermediateNotSigned {
        /// Whom it names.
        subject: String,
        /// Who issued it, as it says.
        issuer: String,
        /// What comes before it.
        previous: String,
    },
    /// The server certificate is not signed by the last link.
    #[error(
        "the server certificate `{subject}` is not signed by {previous}, in which the chain ends, but issued by `{issuer}`"
    )]
    ServerNotSigned {
        /// Whom it names.
        subject: String,
        /// Who issued it, as it says.
        issuer: String,
        /// The last link.
        previous: String,
    },
    /// A link that is in the table is not signed by the one before, since one of the two was replaced.
    #[error(
        "the uploaded chain is broken: `{subject}` of row `{name}` is not signed by {previous}, but issued by `{issuer}`; replace the wrong one of the two under its name"
    )]
    ChainBroken {
        /// Name of the row.
        name: String,
        /// Whom its certificate names.
        subject: String,
        /// Who issued it, as it says.
        issuer: String,
        /// What comes before it.
        previous: String,
    },
    /// A certificate that is in the table cannot be read.
    #[error("the certificate of row `{name}` cannot be read: {reason}; replace it under its name")]
    RowUnreadable {
        /// Name of the row.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server certificate is signed by its own key.
    #[error(
        "`{subject}` is signed by its own key; self-signed server certificates are not supported"
    )]
    SelfSigned {
        /// Whom it names.
        subject: String,
    },
    /// The server certificate holds another key.
    #[error("`privatekey` does not belong to the certificate of `{subject}`")]
    OtherKey {
        /// Whom it names.
        subject: String,
    },
    /// The table cannot be used.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

named_by_reason!(pub UploadError {
    Self::Missing { .. } => "parameter-missing",
    Self::Twice { .. } => "parameter-twice",
    Self::NoPlace { .. } => "id-no-place",
    Self::TooLong { .. } => "too-long",
    Self::IdWithKey => "id-with-key",
    Self::KeyMissing => "key-missing",
    Self::NameTaken { .. } => "name-taken",
    Self::OtherPlace { .. } => "other-place",
    Self::PlaceTaken { .. } => "place-taken",
    Self::Gap { .. } => "gap",
    Self::IntermediateBeforeRoot { .. } => "intermediate-before-root",
    Self::ServerBeforeRoot => "server-before-root",
    Self::ChainEnded { .. } => "chain-ended",
    Self::NotUrlEncoded { .. } => "not-url-encoded",
    Self::Malformed { parameter: "privatekey", .. } => "key-malformed",
    Self::Malformed { .. } => "certificate-malformed",
    Self::NoRoot { .. } => "no-root",
    Self::NoAuthority { .. } => "no-authority",
    Self::IntermediateNotSigned { .. } => "intermediate-not-signed",
    Self::ServerNotSigned { .. } => "server-not-signed",
    Self::ChainBroken { .. } => "chain-broken",
    Self::RowUnreadable { .. } => "row-unreadable",
    Self::SelfSigned { .. } => "self-signed",
    Self::OtherKey { .. } => "other-key",
    Self::Keystore(_) => "keystore-unusable",
});

impl From<rusqlite::Error> for UploadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Keystore(error.into())
    }
}
