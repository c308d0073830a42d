//! LDIF content records (RFC 2849), as written by hand and as printed by `ldapsearch`.
//!
//! Reads text into [`Record`]s and writes them back. Knows nothing of what the attributes mean.
//! Besides the standard it accepts what OpenLDAP's `ldapsearch` prints around its records:
//! comments between the lines of a record, and the lines that report references and the result.

use std::{fmt, iter};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ldap_wire::Attribute;

/// One entry as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Line of the `dn:`.
    pub line: usize,
    /// The DN as written; empty for the rootDSE.
    pub dn: String,
    /// Attributes in order of first appearance, with their values in order.
    pub attributes: Vec<RecordAttribute>,
}

/// One attribute of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAttribute {
    /// Line of the first value.
    pub line: usize,
    /// The attribute with its values.
    pub attribute: Attribute,
}

/// Reads the records of a text. `file` names it in errors.
///
/// ```
/// let text = "dn: CN=alice,DC=corp,DC=example\nobjectClass: user\ncn:: YWxpY2U=\n";
/// let records = fake_dc_directory::ldif::parse("users.ldif", text).unwrap();
/// assert_eq!(records[0].attributes[1].attribute.values[0], b"alice");
/// ```
///
/// # Errors
/// Every mistake in the text, in order.
pub fn parse(file: &str, text: &str) -> Result<Vec<Record>, Vec<LdifError>> {
    let mut reader =
        Reader { file, place: Place::Between, records: Vec::new(), errors: Vec::new() };
    for line in logical_lines(text.trim_start_matches('\u{feff}')) {
        reader.line(&line);
    }
    reader.end_record();
    if reader.errors.is_empty() { Ok(reader.records) } else { Err(reader.errors) }
}

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
            LdifCause::ChangeRecord => {
                "leave `changetype` out and write the entry as it shall be".to_owned()
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
            LdifCause::StrayContinuation => {
                "remove the space at the start of the line, or the blank line above it".to_owned()
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
    /// A change record, where content records are read.
    #[error("record has a `changetype`")]
    ChangeRecord,
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

struct LogicalLine {
    number: usize,
    text: String,
}

/// Joins folded lines. Comments fold like any other line.
fn logical_lines(text: &str) -> impl Iterator<Item = LogicalLine> {
    let mut lines = text.lines().zip(1..).peekable();
    iter::from_fn(move || {
        let (first, number) = lines.next()?;
        let mut text = first.to_owned();
        while !text.is_empty()
            && let Some((next, _)) = lines.next_if(|(next, _)| next.starts_with(' '))
        {
            text.push_str(&next[1..]);
        }
        Some(LogicalLine { number, text })
    })
}

struct Reader<'a> {
    file: &'a str,
    place: Place,
    records: Vec<Record>,
    errors: Vec<LdifError>,
}

/// Where in the text the reader is.
enum Place {
    Between,
    Record(Record),
    /// In a block that is reported already, or that reports on a search.
    Skipped,
}

/// What one line says.
struct Item {
    name: String,
    value: Vec<u8>,
}

impl Reader<'_> {
    fn line(&mut self, line: &LogicalLine) {
        if line.text.is_empty() {
            return self.end_record();
        }
        if line.text.starts_with('#') {
            return;
        }
        if line.text.starts_with(' ') {
            return self.fail(line.number, LdifCause::StrayContinuation);
        }
        if matches!(self.place, Place::Skipped) && !line.text.starts_with("dn:") {
            return;
        }
        let Some(item) = self.item(line) else { return };
        if item.name.eq_ignore_ascii_case("dn") {
            return self.begin_record(line.number, item.value);
        }
        match &mut self.place {
            Place::Record(_) if item.name.eq_ignore_ascii_case("changetype") => {
                self.place = Place::Skipped;
                self.fail(line.number, LdifCause::ChangeRecord);
            }
            Place::Record(record) => record.push(line.number, item),
            Place::Skipped => {}
            Place::Between if item.name.eq_ignore_ascii_case("version") => {
                if item.value != b"1" {
                    let version = String::from_utf8_lossy(&item.value).into_owned();
                    self.fail(line.number, LdifCause::UnsupportedVersion { version });
                }
            }
            Place::Between => {
                self.place = Place::Skipped;
                if !is_search_report(&item.name) {
                    self.fail(line.number, LdifCause::MissingDn);
                }
            }
        }
    }

    /// A new record may follow a comment without a blank line (`# pagedresults` in the captures).
    fn begin_record(&mut self, line: usize, dn: Vec<u8>) {
        self.end_record();
        match String::from_utf8(dn) {
            Ok(dn) => self.place = Place::Record(Record { line, dn, attributes: Vec::new() }),
            Err(error) => {
                let dn = String::from_utf8_lossy(error.as_bytes()).into_owned();
                self.place = Place::Skipped;
                self.fail(line, LdifCause::BadDn { dn });
            }
        }
    }

    fn end_record(&mut self) {
        if let Place::Record(record) = std::mem::replace(&mut self.place, Place::Between) {
            self.records.push(record);
        }
    }

    fn item(&mut self, line: &LogicalLine) -> Option<Item> {
        let Some((name, value)) = line.text.split_once(':') else {
            self.fail(line.number, LdifCause::MissingColon);
            return None;
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.;_".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name) {
            self.fail(line.number, LdifCause::MissingColon);
            return None;
        }
        let name = name.to_owned();
        if let Some(encoded) = value.strip_prefix(':') {
            let Ok(value) = STANDARD.decode(encoded.trim_matches(' ')) else {
                self.fail(line.number, LdifCause::BadBase64 { attribute: name });
                return None;
            };
            return Some(Item { name, value });
        }
        if value.starts_with('<') {
            self.fail(line.number, LdifCause::ValueFromUrl);
            return None;
        }
        let value = value.trim_start_matches(' ').as_bytes().to_vec();
        Some(Item { name, value })
    }

    fn fail(&mut self, line: usize, cause: LdifCause) {
        self.errors.push(LdifError { file: self.file.to_owned(), line, cause });
    }
}

impl Record {
    fn push(&mut self, line: usize, Item { name, value }: Item) {
        let same = |known: &&mut RecordAttribute| known.attribute.name.eq_ignore_ascii_case(&name);
        match self.attributes.iter_mut().find(same) {
            Some(known) => known.attribute.values.push(value),
            None => {
                let attribute = Attribute { name, values: vec![value] };
                self.attributes.push(RecordAttribute { line, attribute });
            }
        }
    }
}

/// The lines that OpenLDAP's `ldapsearch` 2.6 prints for what is no entry.
fn is_search_report(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["control", "extended", "matchedDN", "ref", "result", "search", "text"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

impl fmt::Display for Record {
    /// Writes the record with its final newline. Long lines are not folded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_item(f, "dn", self.dn.as_bytes())?;
        for RecordAttribute { attribute, .. } in &self.attributes {
            for value in &attribute.values {
                write_item(f, &attribute.name, value)?;
            }
        }
        Ok(())
    }
}

fn write_item(f: &mut fmt::Formatter<'_>, name: &str, value: &[u8]) -> fmt::Result {
    match std::str::from_utf8(value) {
        Ok("") => writeln!(f, "{name}:"),
        Ok(text) if is_safe(text) => writeln!(f, "{name}: {text}"),
        _ => writeln!(f, "{name}:: {}", STANDARD.encode(value)),
    }
}

/// `SAFE-STRING` of RFC 2849, which is ASCII, and no space at the end.
fn is_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r'))
        && !text.starts_with([' ', ':', '<'])
        && !text.ends_with(' ')
}
