//! Controls: what a request asks for beyond the operation (RFC 4511 §4.1.11).

use crate::{
    ber::{Reader, Writer, tag},
    error::DecodeError,
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

/// No continuation references, please ([MS-ADTS] 3.1.1.3.4.1.4).
pub const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
/// DNs with GUID and SID ([MS-ADTS] 3.1.1.3.4.1.5).
pub const EXTENDED_DN: &str = "1.2.840.113556.1.4.529";
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
            key.optional(tag::CONTEXT, "ordering rule")?;
            let reverse = match key.optional(tag::CONTEXT | 1, "reverse order")? {
                Some(reverse) => reverse.into_boolean("reverse order")?,
                None => false,
            };
            list.push(Self { attribute, reverse });
        }
        Ok(list)
    }

    /// The control with which a server says that it has sorted (RFC 2891 §1.2).
    pub fn sorted() -> Control {
        let mut writer = Writer::default();
        writer.nest(tag::SEQUENCE, |writer| writer.unsigned(tag::ENUMERATED, 0));
        let value = Some(writer.into_bytes());
        Control { oid: SORT_RESPONSE.to_owned(), critical: false, value }
    }
}
