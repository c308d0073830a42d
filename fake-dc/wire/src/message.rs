//! The messages of LDAP version 3 as data (RFC 4511 §4).

use std::fmt;

use crate::{controls::Control, error, filter::Filter, result::LdapResult};

/// One message: the envelope of every operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapMessage {
    /// Chosen by the client; zero for what a server sends unasked.
    pub id: u32,
    /// The operation.
    pub op: ProtocolOp,
    /// Controls in the order of the wire.
    pub controls: Vec<Control>,
}

impl LdapMessage {
    /// A message without controls.
    pub fn new(id: u32, op: ProtocolOp) -> Self {
        Self { id, op, controls: Vec::new() }
    }

    /// The unsolicited notification with which a server announces that it closes the connection
    /// (RFC 4511 §4.4.1).
    pub fn notice_of_disconnection(result: LdapResult) -> Self {
        error::notice_of_disconnection(result)
    }

    /// The same message with one more control.
    #[must_use]
    pub fn with_control(mut self, control: Control) -> Self {
        self.controls.push(control);
        self
    }

    /// The first control of that object identifier.
    pub fn control(&self, oid: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.oid == oid)
    }
}

/// The operations, in the order of RFC 4511 §4.2–4.13.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolOp {
    /// Asks to authenticate.
    BindRequest(BindRequest),
    /// Answers a bind.
    BindResponse(BindResponse),
    /// Ends the session.
    UnbindRequest,
    /// Asks for entries.
    SearchRequest(SearchRequest),
    /// One entry found.
    SearchResultEntry(SearchResultEntry),
    /// URLs where the search continues.
    SearchResultReference(Vec<String>),
    /// Ends a search.
    SearchResultDone(LdapResult),
    /// Asks to change an entry.
    ModifyRequest(ModifyRequest),
    /// Answers a change.
    ModifyResponse(LdapResult),
    /// Asks for a new entry.
    AddRequest(AddRequest),
    /// Answers an addition.
    AddResponse(LdapResult),
    /// Asks to remove the entry of that name.
    DelRequest(String),
    /// Answers a removal.
    DelResponse(LdapResult),
    /// Asks to rename or move an entry.
    ModifyDnRequest(ModifyDnRequest),
    /// Answers a renaming.
    ModifyDnResponse(LdapResult),
    /// Asks whether an entry has a value.
    CompareRequest(CompareRequest),
    /// Answers a comparison.
    CompareResponse(LdapResult),
    /// Asks to stop working on the message of that number.
    AbandonRequest(u32),
    /// Asks for an operation that the protocol does not define itself.
    ExtendedRequest(ExtendedRequest),
    /// Answers an extended request, or comes unasked with message id zero.
    ExtendedResponse(ExtendedResponse),
    /// One part of an answer to come.
    IntermediateResponse(IntermediateResponse),
}

/// A bind (RFC 4511 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindRequest {
    /// Protocol version: 3, and 2 from old clients.
    pub version: u32,
    /// Who: a DN, and for AD also `user@domain` or `DOMAIN\user`.
    pub name: String,
    /// How.
    pub authentication: Authentication,
}

/// How a client authenticates. `Debug` prints no credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum Authentication {
    /// A password, which need not be text.
    Simple(Vec<u8>),
    /// A SASL mechanism and its token.
    Sasl {
        /// Name of the mechanism.
        mechanism: String,
        /// Its token; absent and empty differ.
        credentials: Option<Vec<u8>>,
    },
    /// Another choice, such as AD's Sicily tags 9, 10 and 11 ([MS-ADTS] 5.1.1.1.3).
    Other {
        /// The context-specific tag byte.
        tag: u8,
        /// What it contains.
        content: Vec<u8>,
    },
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(_) => f.write_str("Simple(***)"),
            Self::Sasl { mechanism, .. } => write!(f, "Sasl({mechanism}, ***)"),
            Self::Other { tag, .. } => write!(f, "Other({tag:#04x}, ***)"),
        }
    }
}

/// Answers a bind (RFC 4511 §4.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindResponse {
    /// The result.
    pub result: LdapResult,
    /// Token of the SASL mechanism. Samba 4.22 sends an empty one with most failures.
    pub server_sasl_credentials: Option<Vec<u8>>,
}

/// A search (RFC 4511 §4.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRequest {
    /// Where to start.
    pub base: String,
    /// How deep to go.
    pub scope: Scope,
    /// What to do with aliases.
    pub deref: DerefAliases,
    /// Most entries wanted; zero for no limit.
    pub size_limit: u32,
    /// Most seconds wanted; zero for no limit.
    pub time_limit: u32,
    /// Names of attributes only, no values.
    pub types_only: bool,
    /// Which entries.
    pub filter: Filter,
    /// Which attributes; empty for all user attributes.
    pub attributes: Vec<String>,
}

impl Default for SearchRequest {
    /// The base search of the rootDSE for everything present.
    fn default() -> Self {
        Self {
            base: String::new(),
            scope: Scope::BaseObject,
            deref: DerefAliases::Never,
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            filter: Filter::Present("objectClass".to_owned()),
            attributes: Vec::new(),
        }
    }
}

/// How deep a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// The base itself.
    BaseObject = 0,
    /// The children of the base, without the base.
    SingleLevel = 1,
    /// The base and everything below.
    WholeSubtree = 2,
}

/// What a search does with aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DerefAliases {
    /// Leave them.
    Never = 0,
    /// Follow those below the base.
    InSearching = 1,
    /// Follow the base.
    FindingBase = 2,
    /// Follow all.
    Always = 3,
}

/// One entry found (RFC 4511 §4.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchResultEntry {
    /// Name of the entry.
    pub dn: String,
    /// Its attributes in the order of the wire.
    pub attributes: Vec<Attribute>,
}

impl SearchResultEntry {
    /// The values of the attribute of that name, in any letter case; none if it is absent.
    pub fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
            .map_or(&[], |attribute| &attribute.values)
    }
}

/// An attribute with its values. `Debug` prints text as text and hides passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Name of the attribute, possibly with options.
    pub name: String,
    /// Its values; none with `typesOnly` or when a change names the attribute alone.
    pub values: Vec<Vec<u8>>,
}

impl Attribute {
    /// An attribute with these values.
    pub fn new<V: Into<Vec<u8>>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }

    fn is_secret(&self) -> bool {
        SECRET_ATTRIBUTES.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }
}

/// Attributes that carry passwords in requests ([MS-ADTS] 3.1.1.3.1.5).
const SECRET_ATTRIBUTES: [&str; 4] = ["unicodePwd", "userPassword", "clearTextPassword", "dBCSPwd"];

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        if self.is_secret() {
            return f.write_str("***");
        }
        f.debug_list().entries(self.values.iter().map(|value| Readable(value))).finish()
    }
}

/// Prints text as text and other bytes in hexadecimal.
struct Readable<'a>(&'a [u8]);

impl fmt::Debug for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.chars().any(char::is_control) => write!(f, "{text:?}"),
            _ => {
                f.write_str("0x")?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// A change of an entry (RFC 4511 §4.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyRequest {
    /// Name of the entry.
    pub object: String,
    /// The changes, made in order and all together.
    pub changes: Vec<Change>,
}

/// One change of one attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What to do with the values.
    pub operation: ModifyOperation,
    /// The attribute and values.
    pub modification: Attribute,
}

/// What a change does with its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ModifyOperation {
    /// Adds the values.
    Add = 0,
    /// Removes the values, or the attribute if there are none.
    Delete = 1,
    /// Puts the values in place of all others.
    Replace = 2,
    /// Adds a number to the value (RFC 4525).
    Increment = 3,
}

/// A new entry (RFC 4511 §4.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddRequest {
    /// Name of the entry.
    pub entry: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// A renaming or move (RFC 4511 §4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifyDnRequest {
    /// Name of the entry.
    pub entry: String,
    /// Its new first component.
    pub new_rdn: String,
    /// Whether the values of the old first component are removed.
    pub delete_old_rdn: bool,
    /// The new parent, if it moves.
    pub new_superior: Option<String>,
}

/// A comparison (RFC 4511 §4.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareRequest {
    /// Name of the entry.
    pub entry: String,
    /// The attribute.
    pub attribute: String,
    /// The value to compare with.
    pub value: Vec<u8>,
}

/// An extended request (RFC 4511 §4.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedRequest {
    /// Object identifier of the operation; see [`extended`].
    pub name: String,
    /// Its parameters.
    pub value: Option<Vec<u8>>,
}

/// Answers an extended request (RFC 4511 §4.12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedResponse {
    /// The result.
    pub result: LdapResult,
    /// Object identifier of the operation.
    pub name: Option<String>,
    /// What the operation returns.
    pub value: Option<Vec<u8>>,
}

/// One part of an answer to come (RFC 4511 §4.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntermediateResponse {
    /// Object identifier of the kind of part.
    pub name: Option<String>,
    /// The part.
    pub value: Option<Vec<u8>>,
}

/// Object identifiers of extended operations.
pub mod extended {
    /// Windows' fast bind: authenticate without building a token ([MS-ADTS] 3.1.1.3.4.2).
    pub const FAST_BIND: &str = "1.2.840.113556.1.4.1781";
    /// The notice of disconnection (RFC 4511 §4.4.1).
    pub const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";
    /// StartTLS (RFC 4511 §4.14).
    pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
    /// Who am I (RFC 4532).
    pub const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
}
