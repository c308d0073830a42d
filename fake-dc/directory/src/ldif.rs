//! LDIF (RFC 2849), as written by hand, and as `ldapsearch` and `ldifde` print it.
//!
//! Reads text into [`Record`]s of content and [`ChangeRecord`]s, and writes records back. Knows
//! nothing of what the attributes mean.
//! Besides the standard it accepts what OpenLDAP's `ldapsearch` prints around its records:
//! comments between the lines of a record, and the lines that report references and the result.

mod change;
mod error;
mod read;
mod write;

use ldap_wire::Attribute;

use self::read::{Block, blocks};
pub use self::{
    change::{Action, ChangeRecord, parse_changes},
    error::{LdifCause, LdifError},
};

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
    let mut records = Vec::new();
    let mut errors = Vec::new();
    for piece in pieces(file, text) {
        match piece {
            Ok(Piece::Content(record)) => records.push(record),
            Ok(Piece::Change(change)) => {
                let (line, cause) = (change.line, LdifCause::ChangeRecord);
                errors.push(LdifError { file: file.to_owned(), line, cause });
            }
            Err(error) => errors.push(error),
        }
    }
    errors.sort_by_key(|error| error.line);
    if errors.is_empty() { Ok(records) } else { Err(errors) }
}

/// One record of either kind.
pub(crate) enum Piece {
    Content(Record),
    Change(ChangeRecord),
}

/// The records of a text in order, and every mistake. An addition is content, as in the exports of
/// `ldifde`.
pub(crate) fn pieces(file: &str, text: &str) -> Vec<Result<Piece, LdifError>> {
    let (blocks, errors) = blocks(file, text);
    let piece = |block: Block| {
        let kind = block.lines.iter().find(|line| line.is("changetype"));
        let kind = kind.map(|line| line.text().to_ascii_lowercase());
        if kind.is_some_and(|kind| kind != "add") {
            return change::change(block).map(Piece::Change);
        }
        let lines = block.lines.into_iter();
        let content = lines.filter(|line| !line.is("changetype") && !line.is("control"));
        Record::of(block.line, block.dn, content).map(Piece::Content)
    };
    let read = blocks.into_iter().map(piece).map(|piece| {
        piece.map_err(|(line, cause)| LdifError { file: file.to_owned(), line, cause })
    });
    read.chain(errors.into_iter().map(Err)).collect()
}
