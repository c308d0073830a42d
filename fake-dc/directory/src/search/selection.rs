//! Which attributes of an entry are sent, and under which names.

use ldap_wire::{Attribute, LdapResult, SearchRequest};

use crate::{
    computed::Reader,
    config::Flavour,
    domain::Domain,
    entry::Entry,
    schema::{self, Syntax},
    search::options::Options,
    state::State,
    store::EntryId,
};

/// Which attributes a request asks for.
pub(crate) struct Selection<'a> {
    all: bool,
    wanted: Vec<Wanted<'a>>,
    operational: bool,
    flavour: Flavour,
    /// Names alone. Samba 4.22 sends the values all the same.
    pub(crate) types_only: bool,
}

/// An attribute that is asked for by name.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    name: &'a str,
    form: Form,
}

/// What is asked for of an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The BER of RFC 4522.
    Binary,
    /// All values.
    Plain,
    /// The values from one number to another ([MS-ADTS] 3.1.1.3.1.3.3).
    Range { first: usize, last: Option<usize> },
}

impl<'a> Selection<'a> {
    /// # Errors
    /// If a range cannot be read.
    pub(crate) fn new(domain: &Domain, request: &'a SearchRequest) -> Result<Self, LdapResult> {
        let flavour = domain.flavour;
        let mut selection = Self {
            all: request.attributes.is_empty(),
            wanted: Vec::new(),
            operational: false,
            flavour,
            types_only: request.types_only && flavour == Flavour::WindowsServer2022,
        };
        for description in &request.attributes {
            match description.as_str() {
                "*" => selection.all = true,
                "+" => selection.operational = true,
                "1.1" => {}
                _ => selection.wanted.extend(
                    Wanted::read(description, flavour)
                        .map_err(|BadRange| domain.diagnostics().bad_range())?,
                ),
            }
        }
        Ok(selection)
    }

    pub(crate) fn names_it(&self, name: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted.name.eq_ignore_ascii_case(name))
    }

    /// Whether it asks for the attribute without options.
    pub(crate) fn names_it_plainly(&self, name: &str) -> bool {
        let plain = |wanted: &&Wanted<'_>| wanted.form == Form::Plain;
        self.wanted.iter().filter(plain).any(|wanted| wanted.name.eq_ignore_ascii_case(name))
    }

    /// Whether it asks for a token, which is made of one entry at a time.
    pub(crate) fn names_a_token(&self) -> bool {
        self.wanted.iter().any(|wanted| wanted.name.starts_with("tokenGroups"))
    }

    pub(crate) fn wants_all(&self) -> bool {
        self.all
    }

    /// True if the request asks for operational attributes (RFC 3673).
    pub(crate) fn wants_operational(&self) -> bool {
        self.operational
    }

    /// The attributes of an entry that the request asks for: stored ones in their order, then
    /// computed ones.
    pub(crate) fn of_entry(
        &self,
        reader: &Reader<'_>,
        id: EntryId,
        entry: &Entry,
        options: &Options,
    ) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        let (mut seen, mut backlinks): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for stored in &entry.attributes {
            let asked = self.all || self.names_it(&stored.name);
            // Stored or not, it is sent in the parts that are asked for.
            if !asked || is_descriptor(&stored.name) || !reader.may_read(entry, &stored.name) {
                continue;
            }
            if is_backlink(&stored.name) {
                backlinks.push(stored.name.as_str());
                continue;
            }
            seen.push(&stored.name);
            self.send(&stored.name, &stored.values, reader, options, &mut attributes);
        }
        let always = if self.all { reader.always(entry) } else { Vec::new() };
        let named = self.wanted.iter().map(|wanted| wanted.name);
        // The control alone asks for it, too, beside all others.
        let descriptor = (self.all && options.sd_flags.is_some()).then_some(DESCRIPTOR);
        for name in always.into_iter().chain(backlinks).chain(named).chain(descriptor) {
            if seen.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            seen.push(name);
            let found = reader.values(id, entry, name).filter(|found| !found.is_empty());
            if let Some(found) = found.filter(|_| reader.may_read(entry, name)) {
                self.send(name, &found, reader, options, &mut attributes);
            }
        }
        attributes
    }

    /// Adds an attribute in the forms that are asked for.
    fn send(
        &self,
        name: &str,
        values: &[Vec<u8>],
        reader: &Reader<'_>,
        options: &Options,
        attributes: &mut Vec<Attribute>,
    ) {
        let syntax = schema::syntax(name);
        let extended =
            options.extended_dn.is_some() && matches!(syntax, Syntax::Dn | Syntax::DnBinary);
        let written = |values: &[Vec<u8>]| -> Vec<Vec<u8>> {
            if self.types_only {
                Vec::new()
            } else if extended {
                values.iter().map(|value| extend_value(reader.state, options, value)).collect()
            } else {
                values.to_vec()
            }
        };
        let form = self.wanted.iter().find(|wanted| wanted.name.eq_ignore_ascii_case(name));
        let form = form.map_or(Form::Plain, |wanted| wanted.form);
        let most = reader.domain.policy.max_val_range;
        let most = Some(most).filter(|_| self.flavour == Flavour::WindowsServer2022);
        match form {
            Form::Binary => {
                let name = format!("{name};binary");
                attributes.push(Attribute { name, values: written(values) });
            }
            Form::Plain => match most.filter(|&most| values.len() > most) {
                None => {
                    attributes.push(Attribute { name: name.to_owned(), values: written(values) })
                }
                // Too many for one answer: none under the plain name, and the first of them.
                Some(most) => {
                    attributes.push(Attribute { name: name.to_owned(), values: Vec::new() });
                    let name = format!("{name};range=0-{}", most.saturating_sub(1));
                    attributes.push(Attribute { name, values: written(&values[..most]) });
                }
            },
            Form::Range { first, last } => {
                let end = most.map_or(usize::MAX, |most| first.saturating_add(most - 1));
                let last = last.map_or(end, |last| last.min(end));
                let reaches_end = last >= values.len().saturating_sub(1);
                let label = match last {
                    last if last < first || !reaches_end => last.to_string(),
                    _ => "*".to_owned(),
                };
                let name = format!("{name};range={first}-{label}");
                let part = values.get(first..).unwrap_or_default();
                let length = last.saturating_add(1).saturating_sub(first).min(part.len());
                attributes.push(Attribute { name, values: written(&part[..length]) });
            }
        }
    }
}

impl<'a> Wanted<'a> {
    /// Reads an attribute description with its options (RFC 4512, section 2.5). Those that the
    /// product does not know make it name nothing.
    fn read(description: &'a str, flavour: Flavour) -> Result<Option<Self>, BadRange> {
        let (name, options) = match description.split_once(';') {
            Some((name, options)) => (name, Some(options)),
            None => (description, None),
        };
        let of_oid = schema::attribute_of_oid(name);
        let name = of_oid.map_or_else(|| schema::spelling(name), |attribute| attribute.name);
        let windows = flavour == Flavour::WindowsServer2022;
        let form = match options {
            None => Form::Plain,
            Some(options) if windows && options.eq_ignore_ascii_case("binary") => Form::Binary,
            Some(options) => match options.split_once('=') {
                Some(("range", range)) => Form::range(range)?,
                Some((word, range)) if windows && word.eq_ignore_ascii_case("range") => {
                    Form::range(range)?
                }
                // Samba 4.22 looks for its own spelling.
                Some((word, _)) if word.eq_ignore_ascii_case("range") => Form::Plain,
                _ => return Ok(None),
            },
        };
        Ok(Some(Self { name, form }))
    }
}

struct BadRange;

impl Form {
    /// `0-1499`, `1500-*`; both products take `1500` for the latter.
    fn range(text: &str) -> Result<Self, BadRange> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| BadRange);
        let number = |text: &str| number(text).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let (first, last) = text.split_once('-').unwrap_or((text, "*"));
        let last = if last == "*" { None } else { Some(number(last)?) };
        Ok(Self::Range { first: number(first)?, last })
    }
}

/// Not among all attributes ([MS-ADTS] 3.1.1.4.4), and made when it is asked for.
const DESCRIPTOR: &str = "nTSecurityDescriptor";

fn is_descriptor(name: &str) -> bool {
    name.eq_ignore_ascii_case(DESCRIPTOR)
}

fn is_backlink(name: &str) -> bool {
    schema::attribute(name).is_some_and(|attribute| attribute.is_backlink())
}

/// The name of an entry as the extended DN control wants it.
pub(crate) fn dn_text(options: &Options, entry: &Entry) -> String {
    let dn = entry.dn.as_str().to_owned();
    let Some(flag) = options.extended_dn else { return dn };
    let hexadecimal =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut text = String::new();
    if let Some(guid) = entry.guid() {
        let guid = if flag == 0 { hexadecimal(&guid.to_bytes_le()) } else { guid.to_string() };
        text.push_str(&format!("<GUID={guid}>;"));
    }
    if let Some(sid) = entry.sid() {
        let sid = if flag == 0 { hexadecimal(sid.as_bytes()) } else { sid.to_string() };
        text.push_str(&format!("<SID={sid}>;"));
    }
    text + &dn
}

/// A DN among the values, perhaps after binary data, in the extended form if it names an entry.
pub(crate) fn extend_value(state: &State, options: &Options, value: &[u8]) -> Vec<u8> {
    let colon =
        if value.starts_with(b"B:") { value.iter().rposition(|&b| b == b':') } else { None };
    let (data, dn) = value.split_at(colon.map_or(0, |colon| colon + 1));
    let key = Syntax::Dn.normalise(dn);
    let entry = key.and_then(|key| state.store.get(state.store.find_key(&key)?));
    match entry {
        Some(entry) => [data, dn_text(options, entry).as_bytes()].concat(),
        None => value.to_vec(),
    }
}
