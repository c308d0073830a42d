//! Distinguished names (RFC 4514).

use std::{
    borrow::{Borrow, Cow},
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// A distinguished name, most specific component first. Equality ignores letter case.
///
/// It is kept as it is written and as it is looked up, so that neither is made anew for each
/// search. A clone is the same name.
#[derive(Clone, Default)]
pub struct Dn(Arc<Name>);

#[derive(Default)]
struct Name {
    text: Box<str>,
    /// The form by which entries are found: lower case, no optional space.
    key: Box<str>,
    components: Box<[Start]>,
}

/// Where a component begins in both forms.
#[derive(Clone, Copy)]
struct Start {
    text: usize,
    key: usize,
}

/// One component. AD has no components of several attributes ([MS-ADTS] 3.1.1.1.4).
#[derive(Clone, Debug)]
pub(crate) struct Component<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) value: Cow<'a, str>,
}

impl Dn {
    /// Reads a DN. The empty text is the DN of the rootDSE.
    ///
    /// # Errors
    /// If the text is no DN, or has a component of several attributes.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        let error = |position| DnError { text: text.to_owned(), position };
        let mut draft = Draft::with_capacity(text.len());
        draft.components.reserve_exact(text.bytes().filter(|&byte| byte == b'=').count());
        let mut rest = text;
        if without_spaces(rest).is_empty() {
            return Ok(Self::default());
        }
        loop {
            let position = text.len() - rest.len();
            let equals = rest.bytes().position(|byte| byte == b'=');
            let (attribute, after) =
                equals.map(|at| (&rest[..at], &rest[at + 1..])).ok_or_else(|| error(position))?;
            let attribute = without_spaces(attribute);
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            if attribute.is_empty() || !attribute.bytes().all(is_name) {
                return Err(error(position));
            }
            let (value, remainder) = component_value(after)
                .map_err(|offset| error(text.len() - after.len() + offset))?;
            draft.push(attribute, &value);
            match remainder {
                Some(remainder) => rest = remainder,
                None => return Ok(draft.finish()),
            }
        }
    }

    /// The DN of the domain of that DNS name.
    pub fn of_domain(dns_name: &str) -> Self {
        let mut draft = Draft::with_capacity(2 * dns_name.len());
        dns_name.split('.').for_each(|label| draft.push("DC", label));
        draft.finish()
    }

    /// The DN of the entry above; `None` for the empty DN.
    pub fn parent(&self) -> Option<Self> {
        (!self.is_empty()).then(|| self.without_first(1))
    }

    /// True for the DN of the rootDSE.
    pub fn is_empty(&self) -> bool {
        self.0.components.is_empty()
    }

    /// True if `other` is this DN or above it.
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        let (here, there) = (self.depth(), other.depth());
        here >= there && self.key_behind(here - there) == other.key()
    }

    /// The DNS name that the `DC` components at the end spell; `None` without any.
    pub fn dns_name(&self) -> Option<String> {
        let is_label = |component: &Component<'_>| component.attribute.eq_ignore_ascii_case("DC");
        let labels = self.components().rev().take_while(is_label).count();
        let labels: Vec<Cow<'_, str>> =
            self.components().skip(self.depth() - labels).map(|each| each.value).collect();
        (!labels.is_empty()).then(|| labels.join("."))
    }

    /// [MS-ADTS] 3.1.1.4.5.2: `corp.example/Users/krbtgt`.
    pub(crate) fn canonical_name(&self) -> String {
        let dns_name = self.dns_name().unwrap_or_default();
        let labels = if dns_name.is_empty() { 0 } else { dns_name.split('.').count() };
        let above = self.components().take(self.depth() - labels);
        let path: Vec<Cow<'_, str>> = above.map(|each| each.value).rev().collect();
        format!("{dns_name}/{}", path.join("/"))
    }

    pub(crate) fn first(&self) -> Option<Component<'_>> {
        self.components().next()
    }

    pub(crate) fn depth(&self) -> usize {
        self.0.components.len()
    }

    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The form by which entries are found: lower case, no optional space.
    pub(crate) fn key(&self) -> &str {
        &self.0.key
    }

    pub(crate) fn child(&self, attribute: &str, value: &str) -> Self {
        let mut draft = Draft::with_capacity(attribute.len() + value.len() + self.0.text.len() + 2);
        draft.components.reserve_exact(self.depth() + 1);
        draft.push(attribute, value);
        draft.append(self);
        draft.finish()
    }

    /// The name of this entry after `old`, which is at or above it, has become `new`.
    pub(crate) fn moved(&self, old: &Self, new: &Self) -> Self {
        let kept = self.depth().saturating_sub(old.depth());
        let mut draft = Draft::with_capacity(self.0.text.len() + new.0.text.len());
        self.components().take(kept).for_each(|each| draft.push(each.attribute, &each.value));
        draft.append(new);
        draft.finish()
    }

    /// The components from the top, in lower case: entries in order of it are in the order of the
    /// tree.
    pub(crate) fn path(&self) -> Vec<&str> {
        let component = |at| {
            let rest = self.key_behind(at);
            let next = self.key_behind(at + 1);
            // The comma between the two is of neither.
            &rest[..rest.len() - next.len() - usize::from(!next.is_empty())]
        };
        (0..self.depth()).rev().map(component).collect()
    }

    fn components(&self) -> impl DoubleEndedIterator<Item = Component<'_>> + ExactSizeIterator {
        let Name { text, components, .. } = &*self.0;
        (0..components.len()).map(move |at| {
            let end = components.get(at + 1).map_or(text.len(), |next| next.text - 1);
            let component = &text[components[at].text..end];
            let (attribute, value) = component.split_once('=').unwrap_or((component, ""));
            Component { attribute, value: unescaped(value) }
        })
    }

    /// The key without the first components.
    fn key_behind(&self, count: usize) -> &str {
        let Name { key, components, .. } = &*self.0;
        components.get(count).map_or("", |start| &key[start.key..])
    }

    fn without_first(&self, count: usize) -> Self {
        let Name { text, key, components } = &*self.0;
        let Some(&first) = components.get(count) else { return Self::default() };
        let shifted =
            |start: &Start| Start { text: start.text - first.text, key: start.key - first.key };
        Self(Arc::new(Name {
            text: text[first.text..].into(),
            key: key[first.key..].into(),
            components: components[count..].iter().map(shifted).collect(),
        }))
    }
}

impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Dn {}

impl Hash for Dn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Borrow<str> for Dn {
    /// The key, by which names are equal and hashed.
    fn borrow(&self) -> &str {
        self.key()
    }
}

/// A DN that is being written.
struct Draft {
    text: String,
    key: String,
    components: Vec<Start>,
}

impl Draft {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            key: String::with_capacity(bytes),
            components: Vec::new(),
        }
    }

    fn push(&mut self, attribute: &str, value: &str) {
        self.begin();
        let start = self.text.len();
        self.components.push(Start { text: start, key: self.key.len() });
        self.text.push_str(attribute);
        self.text.push('=');
        escape_onto(&mut self.text, value);
        push_key(&mut self.key, &self.text[start..]);
    }

    fn append(&mut self, other: &Dn) {
        if other.is_empty() {
            return;
        }
        self.begin();
        let (text, key) = (self.text.len(), self.key.len());
        let starts = other.0.components.iter();
        self.components
            .extend(starts.map(|start| Start { text: text + start.text, key: key + start.key }));
        self.text.push_str(&other.0.text);
        self.key.push_str(&other.0.key);
    }

    fn begin(&mut self) {
        if !self.components.is_empty() {
            self.text.push(',');
            self.key.push(',');
        }
    }

    fn finish(self) -> Dn {
        let Self { text, key, components } = self;
        Dn(Arc::new(Name { text: text.into(), key: key.into(), components: components.into() }))
    }
}

/// Whether a byte means something in a DN unless it is escaped.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\')
}

/// The text without the spaces around it.
pub(crate) fn without_spaces(text: &str) -> &str {
    let is_space = |byte: &&u8| **byte == b' ';
    let start = text.as_bytes().iter().take_while(is_space).count();
    let rest = &text[start..];
    &rest[..rest.len() - rest.as_bytes().iter().rev().take_while(is_space).count()]
}

/// Adds the key of a component: spaces in a row count as one.
fn push_key(key: &mut String, component: &str) {
    let start = key.len();
    if component.is_ascii() {
        key.push_str(component);
        key[start..].make_ascii_lowercase();
    } else {
        key.push_str(&component.to_lowercase());
    }
    if key.as_bytes()[start..].windows(2).any(|pair| pair == b"  ") {
        let mut single = key.split_off(start);
        while single.contains("  ") {
            single = single.replace("  ", " ");
        }
        key.push_str(&single);
    }
}

/// Adds a value as RFC 4514, section 2.4, writes it.
fn escape_onto(text: &mut String, value: &str) {
    let is_plain = |byte: u8| !is_special(byte) && !byte.is_ascii_control();
    if value.bytes().all(is_plain) && !value.starts_with(['#', ' ']) && !value.ends_with(' ') {
        return text.push_str(value);
    }
    let end = value.len();
    for (at, character) in value.char_indices() {
        let outer = at == 0 || at + 1 == end;
        let escaped = match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => true,
            '#' => at == 0,
            ' ' => outer,
            _ => false,
        };
        if character.is_ascii_control() {
            text.push_str(&format!("\\{:02X}", u32::from(character)));
        } else {
            text.extend(escaped.then_some('\\'));
            text.push(character);
        }
    }
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    component_value(value).map_or(Cow::Borrowed(value), |(value, _)| value)
}

/// The value up to the next unescaped comma, and what follows the comma.
fn component_value(text: &str) -> Result<(Cow<'_, str>, Option<&str>), usize> {
    let end = text.bytes().position(is_special).unwrap_or(text.len());
    if matches!(text.as_bytes().get(end), None | Some(b',' | b';')) {
        let value = without_spaces(&text[..end]);
        let rest = text.get(end + 1..);
        return if value.is_empty() { Err(end) } else { Ok((Cow::Borrowed(value), rest)) };
    }
    written_value(text).map(|(value, rest)| (Cow::Owned(value), rest))
}

/// The same of a value with escapes or quotes.
fn written_value(text: &str) -> Result<(String, Option<&str>), usize> {
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
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
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
}
