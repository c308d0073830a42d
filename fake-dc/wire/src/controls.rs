//! Controls: what a request asks for beyond the operation (RFC 4511 §4.1.11).

use crate::{
    ber::{Reader, Writer, tag},
    error::DecodeError,
    result::ResultCode,
};

/// A control on a request or response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Object identifier.
    pub oid: String,
    /// Whether a server that does not know it must refuse.
    pub critical: bool,
    /// Parameters; absent and empty differ.
    pub value: Option<Vec<u8>>,
}

impl Control {
    /// A control without parameters that may be ignored.
    pub fn new(oid: impl Into<String>) -> Self {
        Self { oid: oid.into(), critical: false, value: None }
    }

    /// The same control, not to be ignored.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }
}

/// The entries that an attribute of the base names ([MS-ADTS] 3.1.1.3.4.1.18); also its answer.
pub const ATTRIBUTE_SCOPED_QUERY: &str = "1.2.840.113556.1.4.1504";
/// What has changed since a cookie ([MS-ADTS] 3.1.1.3.4.1.3).
pub const DIRSYNC: &str = "1.2.840.113556.1.4.841";
/// No continuation references, please ([MS-ADTS] 3.1.1.3.4.1.4).
pub const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
/// DNs with GUID and SID ([MS-ADTS] 3.1.1.3.4.1.5).
pub const EXTENDED_DN: &str = "1.2.840.113556.1.4.529";
/// Changes as they happen ([MS-ADTS] 3.1.1.3.4.1.9).
pub const NOTIFICATION: &str = "1.2.840.113556.1.4.528";
/// Paged results (RFC 2696).
pub const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// Additions of what is there and deletions of what is not succeed ([MS-ADTS] 3.1.1.3.4.1.8).
pub const PERMISSIVE_MODIFY: &str = "1.2.840.113556.1.4.1413";
/// Which parts of the security descriptor are wanted ([MS-ADTS] 3.1.1.3.4.1.11).
pub const SD_FLAGS: &str = "1.2.840.113556.1.4.801";
/// Domain scope and phantom root as flags ([MS-ADTS] 3.1.1.3.4.1.12).
pub const SEARCH_OPTIONS: &str = "1.2.840.113556.1.4.1340";
/// Deleted objects too ([MS-ADTS] 3.1.1.3.4.1.14).
pub const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
/// Recycled objects too ([MS-ADTS] 3.1.1.3.4.1.26).
pub const SHOW_RECYCLED: &str = "1.2.840.113556.1.4.2064";
/// Sorted results (RFC 2891).
pub const SORT: &str = "1.2.840.113556.1.4.473";
/// Answer to [`SORT`].
pub const SORT_RESPONSE: &str = "1.2.840.113556.1.4.474";
/// Removal with everything below ([MS-ADTS] 3.1.1.3.4.1.15).
pub const TREE_DELETE: &str = "1.2.840.113556.1.4.805";

/// The global catalogue by which names in a request are checked ([MS-ADTS] 3.1.1.3.4.1.16).
pub const VERIFY_NAME: &str = "1.2.840.113556.1.4.1338";
/// A part of a sorted list (draft-ietf-ldapext-ldapv3-vlv-09).
pub const VIRTUAL_LIST_VIEW: &str = "2.16.840.1.113730.3.4.9";
/// Answer to [`VIRTUAL_LIST_VIEW`].
pub const VIRTUAL_LIST_VIEW_RESPONSE: &str = "2.16.840.1.113730.3.4.10";

/// The parameters of [`PAGED_RESULTS`], the same in request and response (RFC 2696 §2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PagedResults {
    /// Request: entries per page. Response: an estimate of all, or zero.
    pub size: u32,
    /// Where to continue; empty at the start and at the end.
    pub cookie: Vec<u8>,
}

impl PagedResults {
    /// Reads the value of a control.
    ///
    /// # Errors
    /// If the bytes are no `realSearchControlValue`.
    pub fn decode(value: &[u8]) -> Result<Self, DecodeError> {
        let mut outer = Reader::new(value);
        let mut inner = outer.sequence("paged results value")?;
        let size = inner.unsigned(tag::INTEGER, "page size")?;
        let cookie = inner.octets(tag::OCTET_STRING, "page cookie")?.to_vec();
        Ok(Self { size, cookie })
    }

    /// The control that carries these parameters. Requests are critical, responses are not.
    pub fn to_control(&self, critical: bool) -> Control {
        let mut writer = Writer::default();
        writer.nest(tag::SEQUENCE, |writer| {
            writer.unsigned(tag::INTEGER, self.size);
            writer.octets(tag::OCTET_STRING, &self.cookie);
        });
        Control { oid: PAGED_RESULTS.to_owned(), critical, value: Some(writer.into_bytes()) }
    }
}

/// Reads the one number that [`EXTENDED_DN`], [`SD_FLAGS`] and [`SEARCH_OPTIONS`] carry.
///
/// # Errors
/// If the bytes are no sequence of one number.
pub fn decode_flags(value: &[u8]) -> Result<u32, DecodeError> {
    let mut outer = Reader::new(value);
    outer.sequence("control flags")?.unsigned(tag::INTEGER, "control flags")
}

/// The value that [`decode_flags`] reads.
pub fn encode_flags(flags: u32) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.nest(tag::SEQUENCE, |writer| writer.unsigned(tag::INTEGER, flags));
    writer.into_bytes()
}

/// One key of [`SORT`] (RFC 2891 §1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The attribute to sort by.
    pub attribute: String,
    /// Object identifier or name of the ordering rule; without it, that of the attribute.
    pub rule: Option<String>,
    /// Whether the largest comes first.
    pub reverse: bool,
}

impl SortKey {
    /// Reads the value of a control.
    ///
    /// # Errors
    /// If the bytes are no `SortKeyList`.
    pub fn decode_list(value: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let mut keys = Reader::new(value).sequence("sort keys")?;
        let mut list = Vec::new();
        while !keys.is_empty() {
            let mut key = keys.sequence("sort key")?;
            let attribute = key.text(tag::OCTET_STRING, "sort attribute")?;
            let rule = key.optional(tag::CONTEXT, "ordering rule")?;
            let rule = rule.map(|rule| rule.into_text("ordering rule")).transpose()?;
            let reverse = match key.optional(tag::CONTEXT | 1, "reverse order")? {
                Some(reverse) => reverse.into_boolean("reverse order")?,
                None => false,
            };
            list.push(Self { attribute, rule, reverse });
        }
        Ok(list)
    }

    /// The control with which a server says that it has sorted (RFC 2891 §1.2).
    pub fn sorted() -> Control {
        result_control(SORT_RESPONSE, ResultCode::SUCCESS)
    }

    /// The control with which a server says why it has not sorted.
    pub fn not_sorted(code: ResultCode) -> Control {
        result_control(SORT_RESPONSE, code)
    }
}

/// A control whose value is a sequence of one result code, as [`SORT_RESPONSE`] and the answer to
/// [`ATTRIBUTE_SCOPED_QUERY`] have it.
pub fn result_control(oid: &str, code: ResultCode) -> Control {
    let mut writer = Writer::default();
    writer.nest(tag::SEQUENCE, |writer| writer.unsigned(tag::ENUMERATED, code.0));
    Control { oid: oid.to_owned(), critical: false, value: Some(writer.into_bytes()) }
}

/// Reads the attribute that [`ATTRIBUTE_SCOPED_QUERY`] names.
///
/// # Errors
/// If the bytes are no sequence of one text.
pub fn decode_scope_attribute(value: &[u8]) -> Result<String, DecodeError> {
    Reader::new(value).sequence("scope attribute")?.text(tag::OCTET_STRING, "scope attribute")
}

/// The parameters of [`DIRSYNC`], as far as a server that refuses it reads them.
///
/// # Errors
/// If the bytes are no `DirSyncRequestValue`.
pub fn check_dirsync(value: &[u8]) -> Result<(), DecodeError> {
    let mut inner = Reader::new(value).sequence("dirsync value")?;
    // The flags may have the highest bit.
    inner.octets(tag::INTEGER, "dirsync flags")?;
    inner.octets(tag::INTEGER, "dirsync size")?;
    inner.octets(tag::OCTET_STRING, "dirsync cookie")?;
    Ok(())
}

/// The parameters of [`VERIFY_NAME`], which a server of one forest has no use for.
///
/// # Errors
/// If the bytes are no `VerifyNameRequestValue`.
pub fn check_verify_name(value: &[u8]) -> Result<(), DecodeError> {
    let mut inner = Reader::new(value).sequence("verify name value")?;
    inner.octets(tag::INTEGER, "verify name flags")?;
    inner.octets(tag::OCTET_STRING, "verify name server")?;
    Ok(())
}

/// The parameters of [`VIRTUAL_LIST_VIEW`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListView {
    /// Entries wanted before the target.
    pub before: u32,
    /// Entries wanted after the target.
    pub after: u32,
    /// The entry in the middle.
    pub target: ListTarget,
}

/// Which entry of a sorted list is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListTarget {
    /// The entry of that number, counted from one, in a list that the client believes to have
    /// that many; zero if it does not know.
    Offset {
        /// The number.
        offset: u32,
        /// How many entries the client believes in.
        count: u32,
    },
    /// The first entry that is not below that value.
    Value(Vec<u8>),
}

impl ListView {
    /// Reads the value of a control.
    ///
    /// # Errors
    /// If the bytes are no `VirtualListViewRequest`.
    pub fn decode(value: &[u8]) -> Result<Self, DecodeError> {
        const OFFSET: u8 = 0xa0;
        const VALUE: u8 = 0x81;
        let mut inner = Reader::new(value).sequence("list view")?;
        let before = inner.unsigned(tag::INTEGER, "entries before")?;
        let after = inner.unsigned(tag::INTEGER, "entries after")?;
        let target = match inner.optional(VALUE, "list target")? {
            Some(value) => ListTarget::Value(value.into_octets().to_vec()),
            None => {
                let mut target = inner.tagged(OFFSET, "list target")?;
                let offset = target.unsigned(tag::INTEGER, "list offset")?;
                ListTarget::Offset { offset, count: target.unsigned(tag::INTEGER, "list size")? }
            }
        };
        Ok(Self { before, after, target })
    }

    /// The control that says where in how many entries the target is.
    pub fn response(position: u32, count: u32, code: ResultCode) -> Control {
        let mut writer = Writer::default();
        writer.nest(tag::SEQUENCE, |writer| {
            writer.unsigned(tag::INTEGER, position);
            writer.unsigned(tag::INTEGER, count);
            writer.unsigned(tag::ENUMERATED, code.0);
            // No state is kept for the next view; both products send an identifier of four bytes.
            writer.octets(tag::OCTET_STRING, &[0; 4]);
        });
        let value = Some(writer.into_bytes());
        Control { oid: VIRTUAL_LIST_VIEW_RESPONSE.to_owned(), critical: false, value }
    }
}
