//! Lines become blocks: what stands under one `dn:`.

use std::iter;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ldap_wire::Attribute;

use super::{LdifCause, LdifError, Record, RecordAttribute};

/// What stands under one `dn:`.
pub(super) struct Block {
    /// Line of the `dn:`.
    pub(super) line: usize,
    pub(super) dn: String,
    pub(super) lines: Vec<Line>,
}

/// One line of a block.
pub(super) struct Line {
    pub(super) number: usize,
    /// What it says; `None` for the hyphen that ends a modification.
    pub(super) item: Option<Item>,
}

/// A name and a value.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

impl Line {
    pub(super) fn is(&self, name: &str) -> bool {
        self.item.as_ref().is_some_and(|item| item.name.eq_ignore_ascii_case(name))
    }

    /// The value as text.
    pub(super) fn text(&self) -> String {
        let value = self.item.as_ref().map(|item| item.value.as_slice()).unwrap_or_default();
        String::from_utf8_lossy(value).into_owned()
    }

    /// The mistake that this line stands where another should.
    pub(super) fn instead_of(self, expected: &str) -> (usize, LdifCause) {
        let found = self.item.map_or_else(|| "-".to_owned(), |item| item.name);
        (self.number, LdifCause::OtherLine { expected: expected.to_owned(), found })
    }
}

impl Record {
    /// An entry of that name with the attributes of `lines`.
    pub(super) fn of(
        line: usize,
        dn: String,
        lines: impl Iterator<Item = Line>,
    ) -> Result<Self, (usize, LdifCause)> {
        let mut record = Self { line, dn, attributes: Vec::new() };
        for line in lines {
            let item = line.item.ok_or((line.number, LdifCause::MissingColon))?;
            record.push(line.number, item);
        }
        Ok(record)
    }

    pub(super) fn into_attributes(self) -> Vec<Attribute> {
        self.attributes.into_iter().map(|each| each.attribute).collect()
    }

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

/// The blocks of a text, and the mistakes in its lines.
pub(super) fn blocks(file: &str, text: &str) -> (Vec<Block>, Vec<LdifError>) {
    let mut reader = Reader { file, place: Place::Between, blocks: Vec::new(), errors: Vec::new() };
    for line in logical_lines(text.trim_start_matches('\u{feff}')) {
        reader.line(&line);
    }
    reader.end_block();
    (reader.blocks, reader.errors)
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
    blocks: Vec<Block>,
    errors: Vec<LdifError>,
}

/// Where in the text the reader is.
enum Place {
    Between,
    Block(Block),
    /// In a block that is reported already, or that reports on a search.
    Skipped,
}

impl Reader<'_> {
    fn line(&mut self, line: &LogicalLine) {
        if line.text.is_empty() {
            return self.end_block();
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
        if let Place::Block(block) = &mut self.place
            && line.text == "-"
        {
            return block.lines.push(Line { number: line.number, item: None });
        }
        let Some(item) = self.item(line) else { return };
        if item.name.eq_ignore_ascii_case("dn") {
            return self.begin_block(line.number, item.value);
        }
        match &mut self.place {
            Place::Block(block) => {
                block.lines.push(Line { number: line.number, item: Some(item) });
            }
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
    fn begin_block(&mut self, line: usize, dn: Vec<u8>) {
        self.end_block();
        match String::from_utf8(dn) {
            Ok(dn) => self.place = Place::Block(Block { line, dn, lines: Vec::new() }),
            Err(error) => {
                let dn = String::from_utf8_lossy(error.as_bytes()).into_owned();
                self.place = Place::Skipped;
                self.fail(line, LdifCause::BadDn { dn });
            }
        }
    }

    fn end_block(&mut self) {
        if let Place::Block(block) = std::mem::replace(&mut self.place, Place::Between) {
            self.blocks.push(block);
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

/// The lines that OpenLDAP's `ldapsearch` 2.6 prints for what is no entry.
fn is_search_report(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["control", "extended", "matchedDN", "ref", "result", "search", "text"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}
