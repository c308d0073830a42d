//! Mistakes in LDIF, each with where it is, what it is and what to do about it.

/// A mistake in LDIF: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {cause}")]
pub struct LdifError {
    /// Name of the text.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub cause: LdifCause,
}

impl LdifError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match &self.cause {
            LdifCause::BadBase64 { .. } => {
                "encode the value again, for example with `base64 -w0`".to_owned()
            }
            LdifCause::BadDn { .. } => {
                "write the DN as `CN=name,CN=Users,DC=corp,DC=example`, with `\\` before a comma \
                 inside a name"
                    .to_owned()
            }
            LdifCause::BadValue { expected, .. } => format!("write {expected}"),
            LdifCause::BadControl { .. } => {
                "write `control: <OID> true` or `control: <OID> false`".to_owned()
            }
            LdifCause::ChangeRecord => {
                "leave `changetype` out and write the entry as it shall be".to_owned()
            }
            LdifCause::ChangeRefused { .. } => {
                "change what the record asks for, or the entries above it in the file".to_owned()
            }
            LdifCause::MissingLine { expected } => {
                format!("write `{expected}: …` below the line of `changetype`")
            }
            LdifCause::DuplicateAccount { first, .. } => {
                format!("rename one of the two; the other is {first}")
            }
            LdifCause::MissingColon => {
                "write `attribute: value`, or begin the line with a space if it continues the \
                 line above"
                    .to_owned()
            }
            LdifCause::MissingDn => {
                "begin each record with `dn:`, and keep blank lines out of records".to_owned()
            }
            LdifCause::OutsideDomain { domain, .. } => {
                format!("serve the domain that the file is of, or end the DN in `{domain}`")
            }
            LdifCause::OtherLine { expected, .. } => format!("write `{expected}` here"),
            LdifCause::StrayContinuation => {
                "remove the space at the start of the line, or the blank line above it".to_owned()
            }
            LdifCause::UnknownChangeType { .. } => {
                "write `add`, `delete`, `modify` or `modrdn`".to_owned()
            }
            LdifCause::UnsupportedVersion { .. } => "write `version: 1` or leave it out".to_owned(),
            LdifCause::ValueFromUrl => {
                "put the value itself into the file, in base64 after `::`".to_owned()
            }
        }
    }
}

/// What is wrong with LDIF.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LdifCause {
    /// A value after `::` that is no base64.
    #[error("value of `{attribute}` is not base64")]
    BadBase64 {
        /// The attribute.
        attribute: String,
    },
    /// A record whose name cannot be read.
    #[error("`{dn}` is not a distinguished name")]
    BadDn {
        /// What stands in its place.
        dn: String,
    },
    /// A value that does not fit the syntax of its attribute.
    #[error("`{value}` is not a value of `{attribute}`")]
    BadValue {
        /// The attribute.
        attribute: String,
        /// The value.
        value: String,
        /// What a value looks like.
        expected: &'static str,
    },
    /// A control that cannot be read.
    #[error("`{control}` is not a control")]
    BadControl {
        /// What stands in its place.
        control: String,
    },
    /// A change record, where content records are read.
    #[error("record has a `changetype`")]
    ChangeRecord,
    /// The directory refuses a change.
    #[error("change of `{dn}` is refused with {code}: {text}")]
    ChangeRefused {
        /// DN of the entry.
        dn: String,
        /// The result.
        code: ldap_wire::ResultCode,
        /// What the directory says.
        text: String,
    },
    /// Two entries with one account name.
    #[error("account `{name}` is also the name of another entry")]
    DuplicateAccount {
        /// The `sAMAccountName`.
        name: String,
        /// DN of the other entry.
        first: String,
    },
    /// A line that is neither an attribute nor a continuation.
    #[error("line has no `:` after an attribute name")]
    MissingColon,
    /// A record that does not begin with its name.
    #[error("record does not begin with `dn:`")]
    MissingDn,
    /// A change record lacks a line.
    #[error("record has no `{expected}`")]
    MissingLine {
        /// The name that the line begins with.
        expected: &'static str,
    },
    /// Another line stands where one of a change should.
    #[error("`{found}` stands where `{expected}` should")]
    OtherLine {
        /// The name that the line should begin with.
        expected: String,
        /// What it begins with.
        found: String,
    },
    /// An entry that is not of the domain served.
    #[error("`{dn}` is outside of the domain `{domain}`")]
    OutsideDomain {
        /// DN of the entry.
        dn: String,
        /// DN of the domain.
        domain: String,
    },
    /// A continuation with nothing to continue.
    #[error("line begins with a space but continues nothing")]
    StrayContinuation,
    /// A `changetype` that is none.
    #[error("`{word}` is not a kind of change")]
    UnknownChangeType {
        /// The word.
        word: String,
    },
    /// A version of LDIF other than 1.
    #[error("LDIF version `{version}` is not known")]
    UnsupportedVersion {
        /// The version.
        version: String,
    },
    /// A value after `:<`.
    #[error("value is in another file")]
    ValueFromUrl,
}
