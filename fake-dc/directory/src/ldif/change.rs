//! Change records (RFC 2849, "ldif-changes"), as `ldapmodify` and `ldifde` read them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ldap_wire::{
    AddRequest, Attribute, Change, Control, LdapMessage, ModifyDnRequest, ModifyOperation,
    ModifyRequest, ProtocolOp,
};

use super::{
    LdifCause, LdifError, Record,
    read::{Block, Item, Line, blocks},
};

/// One change as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Line of the `dn:`.
    pub line: usize,
    /// The DN as written.
    pub dn: String,
    /// The controls that go with the change.
    pub controls: Vec<Control>,
    /// What is done to the entry.
    pub action: Action,
}

/// What is done to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `changetype: add`, or none.
    Add(Vec<Attribute>),
    /// `changetype: delete`.
    Delete,
    /// `changetype: modify`.
    Modify(Vec<Change>),
    /// `changetype: modrdn` or `moddn`.
    Rename {
        /// `newrdn`.
        new_rdn: String,
        /// `deleteoldrdn`.
        delete_old_rdn: bool,
        /// `newsuperior`.
        new_superior: Option<String>,
    },
}

impl ChangeRecord {
    /// The request that makes this change.
    pub fn to_request(&self, id: u32) -> LdapMessage {
        let dn = self.dn.clone();
        let op = match self.action.clone() {
            Action::Add(attributes) => ProtocolOp::AddRequest(AddRequest { entry: dn, attributes }),
            Action::Delete => ProtocolOp::DelRequest(dn),
            Action::Modify(changes) => {
                ProtocolOp::ModifyRequest(ModifyRequest { object: dn, changes })
            }
            Action::Rename { new_rdn, delete_old_rdn, new_superior } => {
                let request = ModifyDnRequest { entry: dn, new_rdn, delete_old_rdn, new_superior };
                ProtocolOp::ModifyDnRequest(request)
            }
        };
        LdapMessage { controls: self.controls.clone(), ..LdapMessage::new(id, op) }
    }
}

/// Reads the changes of a text. A record without `changetype` is an addition, as for `ldapmodify
/// -a`. `file` names the text in errors.
///
/// ```
/// use fake_dc_directory::ldif::{Action, parse_changes};
///
/// let text = "dn: CN=alice,DC=corp,DC=example\nchangetype: delete\n";
/// assert_eq!(parse_changes("leave.ldif", text).unwrap()[0].action, Action::Delete);
/// ```
///
/// # Errors
/// Every mistake in the text, in order.
pub fn parse_changes(file: &str, text: &str) -> Result<Vec<ChangeRecord>, Vec<LdifError>> {
    let (blocks, mut errors) = blocks(file, text);
    let mut changes = Vec::new();
    for block in blocks {
        match change(block) {
            Ok(change) => changes.push(change),
            Err((line, cause)) => errors.push(LdifError { file: file.to_owned(), line, cause }),
        }
    }
    errors.sort_by_key(|error| error.line);
    if errors.is_empty() { Ok(changes) } else { Err(errors) }
}

/// Reads a block as a change.
pub(super) fn change(block: Block) -> Result<ChangeRecord, (usize, LdifCause)> {
    let Block { line, dn, lines } = block;
    let mut lines = lines.into_iter().peekable();
    let mut controls = Vec::new();
    while let Some(next) = lines.next_if(|next| next.is("control")) {
        controls.push(control(&next)?);
    }
    let action = match lines.next_if(|next| next.is("changetype")) {
        None => Action::Add(Record::of(line, dn.clone(), lines)?.into_attributes()),
        Some(kind) => match kind.text().to_ascii_lowercase().as_str() {
            "add" => Action::Add(Record::of(line, dn.clone(), lines)?.into_attributes()),
            "delete" => match lines.next() {
                None => Action::Delete,
                Some(other) => return Err(other.instead_of("dn")),
            },
            "modify" => Action::Modify(modifications(lines)?),
            "moddn" | "modrdn" => rename(kind.number, lines)?,
            word => {
                let word = word.to_owned();
                return Err((kind.number, LdifCause::UnknownChangeType { word }));
            }
        },
    };
    Ok(ChangeRecord { line, dn, controls, action })
}

/// `control: <OID> [true|false][: value]`.
fn control(line: &Line) -> Result<Control, (usize, LdifCause)> {
    let text = line.text();
    let bad = || (line.number, LdifCause::BadControl { control: text.clone() });
    let (head, value) = match text.split_once(':') {
        Some((head, value)) => match value.strip_prefix(':') {
            Some(encoded) => (head, Some(STANDARD.decode(encoded.trim()).map_err(|_| bad())?)),
            None => (head, Some(value.trim_start_matches(' ').as_bytes().to_vec())),
        },
        None => (text.as_str(), None),
    };
    let mut words = head.split_whitespace();
    let oid = words.next().filter(|oid| oid.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let critical = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("true") => true,
        Some(word) if word.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err(bad()),
    };
    match (oid, words.next()) {
        (Some(oid), None) => Ok(Control { oid: oid.to_owned(), critical, value }),
        _ => Err(bad()),
    }
}

fn modifications(lines: impl Iterator<Item = Line>) -> Result<Vec<Change>, (usize, LdifCause)> {
    let mut changes: Vec<Change> = Vec::new();
    let mut open = false;
    for line in lines {
        let number = line.number;
        match line.item {
            None => open = false,
            Some(Item { name, value }) if open => {
                let Some(change) = changes.last_mut() else { continue };
                if !change.modification.name.eq_ignore_ascii_case(&name) {
                    let expected = change.modification.name.clone();
                    return Err((number, LdifCause::OtherLine { expected, found: name }));
                }
                change.modification.values.push(value);
            }
            Some(Item { name, value }) => {
                let operation = match name.to_ascii_lowercase().as_str() {
                    "add" => ModifyOperation::Add,
                    "delete" => ModifyOperation::Delete,
                    "increment" => ModifyOperation::Increment,
                    "replace" => ModifyOperation::Replace,
                    _ => {
                        let expected = "add`, `delete` or `replace".to_owned();
                        return Err((number, LdifCause::OtherLine { expected, found: name }));
                    }
                };
                let name = String::from_utf8_lossy(&value).into_owned();
                changes.push(Change {
                    operation,
                    modification: Attribute { name, values: Vec::new() },
                });
                open = true;
            }
        }
    }
    Ok(changes)
}

fn rename(
    kind: usize,
    mut lines: impl Iterator<Item = Line>,
) -> Result<Action, (usize, LdifCause)> {
    let mut line = |expected: &'static str| {
        let line = lines.next().ok_or((kind, LdifCause::MissingLine { expected }))?;
        if line.is(expected) { Ok(line) } else { Err(line.instead_of(expected)) }
    };
    let new_rdn = line("newrdn")?.text();
    let delete = line("deleteoldrdn")?;
    let delete_old_rdn = match delete.text().as_str() {
        "0" => false,
        "1" => true,
        _ => {
            let (expected, found) = ("deleteoldrdn: 1".to_owned(), delete.text());
            return Err((delete.number, LdifCause::OtherLine { expected, found }));
        }
    };
    let new_superior = match lines.next() {
        None => None,
        Some(line) if line.is("newsuperior") => Some(line.text()),
        Some(line) => return Err(line.instead_of("newsuperior")),
    };
    Ok(Action::Rename { new_rdn, delete_old_rdn, new_superior })
}
