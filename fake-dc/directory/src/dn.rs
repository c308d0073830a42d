//! Distinguished names (RFC 4514), and the extended forms that AD accepts as a search base.

use std::fmt;

use uuid::Uuid;

use crate::sid::Sid;

/// A distinguished name, most specific component first. Equality ignores letter case.
#[derive(Clone, Debug, Default)]
pub struct Dn {
    components: Vec<Component>,
}

/// One component. AD has no components of several attributes ([MS-ADTS] 3.1.1.1.4).
#[derive(Clone, Debug)]
pub(crate) struct Component {
    pub(crate) attribute: String,
    pub(crate) value: String,
}

/// The form of a DN by which entries are found: lower case, no optional space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DnKey(String);

impl DnKey {
    /// A key that [`Dn::key`] made and that was stored as bytes.
    pub(crate) fn from_normal(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().map(|text| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Dn {
    /// Reads a DN. The empty text is the DN of the rootDSE.
    ///
    /// # Errors
    /// If the text is no DN, or has a component of several attributes.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        let error = |position| DnError { text: text.to_owned(), position };
        let mut components = Vec::new();
        let mut rest = text;
        if rest.trim_matches(' ').is_empty() {
            return Ok(Self::default());
        }
        loop {
            let position = text.len() - rest.len();
            let (attribute, after) = rest.split_once('=').ok_or_else(|| error(position))?;
            let attribute = attribute.trim_matches(' ');
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            if attribute.is_empty() || !attribute.bytes().all(is_name) {
                return Err(error(position));
            }
            let (value, remainder) = component_value(after)
                .map_err(|offset| error(text.len() - after.len() + offset))?;
            components.push(Component { attribute: attribute.to_owned(), value });
            match remainder {
                Some(remainder) => rest = remainder,
                None => return Ok(Self { components }),
            }
        }
    }

    /// The DN of the domain of that DNS name.
    pub fn of_domain(dns_name: &str) -> Self {
        let component =
            |label: &str| Component { attribute: "DC".to_owned(), value: label.to_owned() };
        Self { components: dns_name.split('.').map(component).collect() }
    }

    /// The DN of the entry above; `None` for the empty DN.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.components.split_first()?;
        Some(Self { components: above.to_vec() })
    }

    /// True for the DN of the rootDSE.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// True if `other` is this DN or above it.
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        let (here, there) = (self.components.len(), other.components.len());
        here >= there
            && self.components[here - there..]
                .iter()
                .zip(&other.components)
                .all(|(one, another)| one.same(another))
    }

    /// The DNS name that the `DC` components at the end spell; `None` without any.
    pub fn dns_name(&self) -> Option<String> {
        let labels: Vec<&str> = self
            .components
            .iter()
            .rev()
            .take_while(|component| component.attribute.eq_ignore_ascii_case("DC"))
            .map(|component| component.value.as_str())
            .collect();
        let labels: Vec<&str> = labels.into_iter().rev().collect();
        (!labels.is_empty()).then(|| labels.join("."))
    }

    /// [MS-ADTS] 3.1.1.4.5.2: `corp.example/Users/krbtgt`.
    pub(crate) fn canonical_name(&self) -> String {
        let dns_name = self.dns_name().unwrap_or_default();
        let labels = if dns_name.is_empty() { 0 } else { dns_name.split('.').count() };
        let above = &self.components[..self.components.len() - labels];
        let path: Vec<&str> = above.iter().rev().map(|c| c.value.as_str()).collect();
        format!("{dns_name}/{}", path.join("/"))
    }

    pub(crate) fn first(&self) -> Option<&Component> {
        self.components.first()
    }

    pub(crate) fn depth(&self) -> usize {
        self.components.len()
    }

    pub(crate) fn child(&self, attribute: &str, value: &str) -> Self {
        let component = Component { attribute: attribute.to_owned(), value: value.to_owned() };
        let mut components = vec![component];
        components.extend_from_slice(&self.components);
        Self { components }
    }

    /// The name of this entry after `old`, which is at or above it, has become `new`.
    pub(crate) fn moved(&self, old: &Self, new: &Self) -> Self {
        let kept = self.components.len().saturating_sub(old.components.len());
        let mut components = self.components[..kept].to_vec();
        components.extend_from_slice(&new.components);
        Self { components }
    }

    /// The components from the top, in lower case: entries in order of it are in the order of the
    /// tree.
    pub(crate) fn path(&self) -> Vec<String> {
        self.components.iter().rev().map(|each| each.to_string().to_lowercase()).collect()
    }

    pub(crate) fn key(&self) -> DnKey {
        let mut text = self.to_string().to_lowercase();
        // Spaces in a row count as one.
        while text.contains("  ") {
            text = text.replace("  ", " ");
        }
        DnKey(text)
    }
}

impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.components.len() == other.components.len() && self.is_at_or_below(other)
    }
}

impl Eq for Dn {}

impl Component {
    fn same(&self, other: &Self) -> bool {
        self.attribute.eq_ignore_ascii_case(&other.attribute)
            && (self.value.eq_ignore_ascii_case(&other.value)
                || (!self.value.is_ascii()
                    && self.value.to_lowercase() == other.value.to_lowercase()))
    }
}

/// The value up to the next unescaped comma, and what follows the comma.
fn component_value(text: &str) -> Result<(String, Option<&str>), usize> {
    let mut value = Vec::new();
    // Length of the value up to its last character that is not an optional space.
    let mut kept = 0;
    let bytes = text.as_bytes();
    let mut at = bytes.iter().take_while(|&&byte| byte == b' ').count();
    let mut rest = None;
    let mut quoted = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if quoted || value.is_empty() => quoted = !quoted,
            b',' | b';' if !quoted => {
                rest = Some(&text[at + 1..]);
                break;
            }
            b'\\' => {
                let (escaped, length) = escape(&bytes[at + 1..]).ok_or(at)?;
                value.push(escaped);
                kept = value.len();
                at += 1 + length;
                continue;
            }
            b'"' | b'+' | b'<' | b'>' if !quoted => return Err(at),
            _ => {
                value.push(byte);
                if byte != b' ' {
                    kept = value.len();
                }
            }
        }
        at += 1;
    }
    value.truncate(kept);
    if value.is_empty() || quoted {
        return Err(at);
    }
    String::from_utf8(value).map(|value| (value, rest)).map_err(|_| at)
}

fn escape(after: &[u8]) -> Option<(u8, usize)> {
    let digit = |index: usize| {
        let digit = char::from(*after.get(index)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    if let (Some(high), Some(low)) = (digit(0), digit(1)) {
        return Some((high << 4 | low, 2));
    }
    // Of other characters the backslash is dropped.
    Some((*after.first()?, 1))
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.components.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{component}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.attribute)?;
        let end = self.value.len();
        for (at, character) in self.value.char_indices() {
            let outer = at == 0 || at + 1 == end;
            match character {
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
                '#' if at == 0 => f.write_str("\\#")?,
                ' ' if outer => f.write_str("\\ ")?,
                _ if character.is_ascii_control() => write!(f, "\\{:02X}", u32::from(character))?,
                _ => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

/// Text that is no DN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a distinguished name (position {position})")]
pub struct DnError {
    /// The text.
    pub text: String,
    /// Bytes before the spot that cannot be read.
    pub position: usize,
}

/// How a request names an entry ([MS-ADTS] 3.1.1.3.1.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryName {
    /// By its DN.
    Dn(Dn),
    /// `<GUID=…>`.
    Guid(Uuid),
    /// `<SID=…>`.
    Sid(Sid),
    /// `<WKGUID=…,dn>`: what the entry of that DN lists as well known under that identifier.
    WellKnown { guid: String, container: Dn },
}

impl EntryName {
    pub(crate) fn parse(text: &str) -> Result<Self, DnError> {
        let trimmed = text.trim_matches(' ');
        if !trimmed.starts_with('<') {
            return Dn::parse(text).map(Self::Dn);
        }
        extended(trimmed).ok_or_else(|| DnError { text: text.to_owned(), position: 0 })
    }

    /// Whether Samba 4.22 takes the text, too: names of attributes by letters alone, right before
    /// the equals sign, and commas between the components.
    pub(crate) fn is_strict(text: &str) -> bool {
        let name = |component: &str| match component.split_once('=') {
            Some((name, _)) => {
                let name = name.trim_start();
                name.starts_with('<')
                    || (!name.ends_with(' ') && !name.contains('.'))
                        && !name.starts_with(|first: char| first.is_ascii_digit())
            }
            None => true,
        };
        let separator = text.replace(">;", "").replace("\\;", "").contains(';');
        !separator && text.split(',').all(name)
    }

    /// Takes the plain DN out of `<GUID=…>;<SID=…>;dn`, which ldapsearch prints with the extended
    /// DN control.
    pub(crate) fn without_extensions(text: &str) -> &str {
        match text.rsplit_once(">;") {
            Some((head, dn)) if head.starts_with('<') => dn,
            _ => text,
        }
    }
}

fn extended(text: &str) -> Option<EntryName> {
    let dn = EntryName::without_extensions(text);
    if dn.len() < text.len() {
        return Dn::parse(dn).ok().map(EntryName::Dn);
    }
    let (kind, value) = text.strip_prefix('<')?.strip_suffix('>')?.split_once('=')?;
    match kind.to_ascii_uppercase().as_str() {
        "GUID" => guid_of_text(value).map(EntryName::Guid),
        "SID" => {
            let sid = value.parse().ok().or_else(|| Sid::from_bytes(&hexadecimal(value)?).ok());
            sid.map(EntryName::Sid)
        }
        "WKGUID" => {
            let (guid, dn) = value.split_once(',')?;
            let container = Dn::parse(dn).ok()?;
            Some(EntryName::WellKnown { guid: guid.to_ascii_uppercase(), container })
        }
        _ => None,
    }
}

/// A GUID as text with hyphens, or as the hexadecimal of its bytes.
fn guid_of_text(text: &str) -> Option<Uuid> {
    if text.contains('-') {
        return Uuid::try_parse(text).ok();
    }
    let bytes: [u8; 16] = hexadecimal(text)?.try_into().ok()?;
    Some(Uuid::from_bytes_le(bytes))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap()
    }

    #[test]
    fn case_and_space_do_not_matter() {
        let spaced = dn("cn=KRBTGT, cn=users,  dc=LAB,dc=EXAMPLE");
        assert_eq!(spaced, dn("CN=krbtgt,CN=Users,DC=lab,DC=example"));
        assert_eq!(spaced.key(), dn("CN=krbtgt,CN=Users,DC=lab,DC=example").key());
        assert_eq!(spaced.dns_name().as_deref(), Some("LAB.EXAMPLE"));
    }

    #[test]
    fn escapes_survive() {
        for text in [r"CN=a\,b,DC=x", r"CN=\#1\ ,DC=x", r"CN=a\0Ab,DC=x", "CN=Müller,DC=x"] {
            assert_eq!(dn(text).to_string(), text);
        }
        assert_eq!(dn(r"CN=\4d\c3\bcller").to_string(), "CN=Müller");
    }

    #[test]
    fn what_is_no_dn_is_refused() {
        for text in ["notadn", "CN=", "=x", "CN=a,", r"CN=a\", "CN=a+CN=b", "CN=<a>"] {
            assert!(Dn::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_compared_by_component() {
        let domain = dn("DC=corp,DC=example");
        assert!(dn("CN=Users,dc=Corp,dc=Example").is_at_or_below(&domain));
        assert!(!dn("CN=Users,DC=notcorp,DC=example").is_at_or_below(&domain));
        assert_eq!(Dn::of_domain("corp.example"), domain);
        assert_eq!(dn("CN=a,OU=b,DC=corp,DC=example").canonical_name(), "corp.example/b/a");
        assert_eq!(domain.canonical_name(), "corp.example/");
    }

    #[test]
    fn extended_names_are_read() {
        let by_text = EntryName::parse("<SID=S-1-5-21-2458790315-3472991661-1669985623-1103>");
        let by_hex =
            EntryName::parse("<SID=010500000000000515000000ab298e92ada501cf57f589634f040000>");
        assert_eq!(by_text, by_hex);
        assert!(matches!(by_text, Ok(EntryName::Sid(_))));
        let well_known = "<WKGUID=aa312825768811D1ADED00C04FD8D5CD,dc=LAB,dc=EXAMPLE>";
        assert!(matches!(EntryName::parse(well_known), Ok(EntryName::WellKnown { .. })));
        let whole = "<GUID=fcdec139-8acf-4661-ba8a-b18fbeca2ad4>;<SID=S-1-5-2>;CN=a,DC=x";
        assert_eq!(EntryName::parse(whole), Ok(EntryName::Dn(dn("CN=a,DC=x"))));
        assert!(EntryName::parse("<SID=>").is_err());
    }
}
