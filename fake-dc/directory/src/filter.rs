//! Which entries a filter finds.
//!
//! A filter is compiled once per search, with its values in normal form, and then tried on
//! entries. The logic has two values: what a filter says of an attribute that an entry has not, or
//! that no schema knows, is false.

use std::{borrow::Cow, cell::Cell, collections::BTreeSet};

use ldap_wire::{Filter, ResultCode};

use crate::{
    computed,
    config::Flavour,
    domain::Domain,
    entry::Entry,
    entry_name::EntryName,
    schema::{self, AttributeType, Syntax},
    state::State,
    store::{self, EntryId, Store},
};

/// Matching rules of AD ([MS-ADTS] 3.1.1.3.4.4).
const BIT_AND: &str = "1.2.840.113556.1.4.803";
const BIT_OR: &str = "1.2.840.113556.1.4.804";
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A filter, ready to be tried.
#[derive(Debug)]
pub(crate) enum Matcher {
    All(Vec<Matcher>),
    Any(Vec<Matcher>),
    Not(Box<Matcher>),
    /// False for every entry.
    Never,
    Present(Attribute),
    Test {
        attribute: Attribute,
        syntax: Syntax,
        test: Test,
    },
    InChain {
        attribute: String,
        dn: Vec<u8>,
    },
    /// What Samba 4.22 fails at once it is tried on an entry.
    Fails {
        code: ResultCode,
        tried: Cell<bool>,
    },
}

/// What a filter looks at.
#[derive(Debug)]
pub(crate) struct Attribute {
    name: Cow<'static, str>,
    /// Whether entries have it stored; else it is made from others.
    stored: bool,
    indexed: bool,
}

impl Attribute {
    /// The attribute that a filter names; in the schema it is `known`.
    fn new(name: &str, known: Option<&'static AttributeType>) -> Self {
        Self {
            name: known.map_or_else(|| name.to_owned().into(), |known| known.name.into()),
            stored: !computed::is_testable(name, known),
            indexed: known.is_some_and(store::is_indexed),
        }
    }
}

/// What is asked of a value in normal form.
#[derive(Debug)]
pub(crate) enum Test {
    Equals(Vec<u8>),
    AtLeast(Vec<u8>),
    AtMost(Vec<u8>),
    Like { initial: Vec<u8>, any: Vec<Vec<u8>>, last: Vec<u8> },
    AllBits(i64),
    AnyBits(i64),
}

impl Matcher {
    /// Makes a filter ready.
    pub(crate) fn compile(filter: &Filter, domain: &Domain, state: &State) -> Self {
        Compiler { domain, state }.compile(filter)
    }

    /// What the filter has failed at, if it has: Samba 4.22 cannot look for about equal values,
    /// nor for bits of what has none.
    pub(crate) fn failure(&self) -> Option<ResultCode> {
        match self {
            Self::All(all) => all.iter().find_map(Self::failure),
            Self::Any(any) => any.iter().find_map(Self::failure),
            Self::Not(inner) => inner.failure(),
            Self::Fails { code, tried } => Some(*code).filter(|_| tried.get()),
            _ => None,
        }
    }

    /// The entries worth trying, if the indexes tell.
    pub(crate) fn candidates<'s>(&self, store: &'s Store) -> Option<Cow<'s, BTreeSet<EntryId>>> {
        match self {
            Self::Test { attribute, test: Test::Equals(value), .. } if attribute.indexed => {
                let found = store.with_value(&attribute.name, value).map(Cow::Borrowed);
                Some(found.unwrap_or_default())
            }
            Self::All(all) => {
                all.iter().filter_map(|each| each.candidates(store)).min_by_key(|each| each.len())
            }
            Self::Any(any) => {
                any.iter().map(|each| each.candidates(store)).reduce(union).unwrap_or_default()
            }
            Self::Never => Some(Cow::default()),
            _ => None,
        }
    }

    pub(crate) fn matches(&self, state: &State, id: EntryId, entry: &Entry) -> bool {
        match self {
            Self::All(all) => all.iter().all(|each| each.matches(state, id, entry)),
            Self::Any(any) => any.iter().any(|each| each.matches(state, id, entry)),
            Self::Not(inner) => !inner.matches(state, id, entry),
            Self::Never => false,
            Self::Present(attribute) if attribute.stored => {
                // Every entry has one, whether or not it was given.
                entry.has(&attribute.name) || attribute.name == "nTSecurityDescriptor"
            }
            Self::Present(attribute) => {
                !computed::testable(state, entry, &attribute.name).is_empty()
            }
            Self::Test { attribute, syntax, test } => {
                let holds = |value: &Vec<u8>| test.holds_for(*syntax, value);
                if attribute.stored {
                    entry.values(&attribute.name).iter().any(holds)
                } else {
                    computed::testable(state, entry, &attribute.name).iter().any(holds)
                }
            }
            Self::InChain { attribute, dn } => computed::in_chain(state, attribute, id, dn),
            Self::Fails { tried, .. } => {
                tried.set(true);
                false
            }
        }
    }

    fn fails(code: ResultCode) -> Self {
        Self::Fails { code, tried: Cell::new(false) }
    }

    fn present(attribute: &Named<'_>) -> Self {
        Self::Present(attribute.looked_at())
    }

    fn test(attribute: &Named<'_>, test: Test) -> Self {
        Self::Test { attribute: attribute.looked_at(), syntax: attribute.syntax(), test }
    }
}

type Candidates<'s> = Option<Cow<'s, BTreeSet<EntryId>>>;

fn union<'s>(one: Candidates<'s>, other: Candidates<'s>) -> Candidates<'s> {
    let (mut one, other) = (one?, other?);
    one.to_mut().extend(other.iter());
    Some(one)
}

/// An attribute as a filter names it.
#[derive(Clone, Copy)]
struct Named<'n> {
    /// As the schema spells it.
    name: &'n str,
    known: Option<&'static AttributeType>,
}

impl Named<'_> {
    fn syntax(&self) -> Syntax {
        self.known.map_or(Syntax::Text, |known| known.syntax)
    }

    fn looked_at(&self) -> Attribute {
        Attribute::new(self.name, self.known)
    }
}

struct Compiler<'a> {
    domain: &'a Domain,
    state: &'a State,
}

impl Compiler<'_> {
    fn compile(&self, filter: &Filter) -> Matcher {
        let all = |filters: &[Filter]| filters.iter().map(|each| self.compile(each)).collect();
        match filter {
            Filter::And(filters) => Matcher::All(all(filters)),
            Filter::Or(filters) => Matcher::Any(all(filters)),
            Filter::Not(filter) => Matcher::Not(Box::new(self.compile(filter))),
            Filter::Present(attribute) => Matcher::present(&self.named(attribute)),
            Filter::Approx { .. } if self.is_samba() => {
                Matcher::fails(ResultCode::INAPPROPRIATE_MATCHING)
            }
            Filter::Equality { attribute, value } | Filter::Approx { attribute, value } => {
                self.equality(attribute, value)
            }
            Filter::GreaterOrEqual { attribute, value } => {
                self.ordering(attribute, value, Test::AtLeast)
            }
            Filter::LessOrEqual { attribute, value } => {
                self.ordering(attribute, value, Test::AtMost)
            }
            Filter::Substrings { attribute, initial, any, last } => {
                self.substrings(attribute, initial.as_deref(), any, last.as_deref())
            }
            Filter::Extensible { rule, attribute: Some(attribute), value, .. } => {
                self.extensible(rule.as_deref(), attribute, value)
            }
            // AD has no rule that applies to all attributes.
            Filter::Extensible { attribute: None, .. } => Matcher::Never,
        }
    }

    fn is_samba(&self) -> bool {
        self.domain.flavour == Flavour::Samba4_22
    }

    /// The attribute in the schema. Windows knows it by its identifier, too.
    fn named<'n>(&self, name: &'n str) -> Named<'n> {
        let of_oid = schema::attribute_of_oid(name).filter(|_| !self.is_samba());
        let known = of_oid.or_else(|| schema::attribute(name));
        Named { name: known.map_or(name, |known| known.name), known }
    }

    fn equality(&self, attribute: &str, value: &[u8]) -> Matcher {
        if attribute.eq_ignore_ascii_case("anr") {
            return self.ambiguous_name(value);
        }
        let attribute = self.named(attribute);
        match self.value(&attribute, value) {
            Some(value) => Matcher::test(&attribute, Test::Equals(value)),
            None => Matcher::Never,
        }
    }

    /// The normal form of a value to compare with.
    fn value(&self, attribute: &Named<'_>, value: &[u8]) -> Option<Vec<u8>> {
        let syntax = attribute.syntax();
        let text = || std::str::from_utf8(value).ok();
        let key = |id| Some(self.state.store.get(id)?.dn.key().as_bytes().to_vec());
        match (attribute.name, syntax) {
            // By the name of a class ([MS-ADTS] 3.1.1.3.1.3.5).
            ("objectCategory", _) if schema::class(text()?).is_some() => {
                let dn = self.domain.schema().child("CN", schema::class(text()?)?.category);
                Some(dn.key().as_bytes().to_vec())
            }
            ("objectClass", _) => {
                let of_oid = text().and_then(schema::class_of_oid);
                syntax.normalise(of_oid.map_or(value, |class| class.name.as_bytes()))
            }
            // An entry may be named in any form.
            (_, Syntax::Dn) if value.starts_with(b"<") => match EntryName::parse(text()?).ok()? {
                EntryName::Guid(guid) => key(self.state.store.by_guid(&guid)?),
                EntryName::Sid(sid) => key(self.state.store.by_sid(&sid)?),
                EntryName::Dn(_) | EntryName::WellKnown { .. } => syntax.normalise(value),
            },
            // Samba 4.22 reads numbers as C does.
            (_, Syntax::Integer) if self.is_samba() => {
                Some(c_number(text()?.trim())?.to_string().into_bytes())
            }
            _ => syntax.normalise(value),
        }
    }

    /// Ambiguous name resolution over the attributes that the schema marks for it ([MS-ADTS]
    /// 3.1.1.3.1.3.3): each by its start, or as a whole after an equals sign; two words also as
    /// the names of a person in either order.
    fn ambiguous_name(&self, value: &[u8]) -> Matcher {
        let value = value.trim_ascii();
        if value.is_empty() {
            return Matcher::Never;
        }
        let like = |name: &str, value: &[u8]| match value.strip_prefix(b"=") {
            Some(whole) => self.equality(name, whole),
            None => self.substrings(name, Some(value), &[], None),
        };
        let names = schema::attributes().filter(|attribute| attribute.is_name());
        let mut any: Vec<Matcher> = names.map(|attribute| like(attribute.name, value)).collect();
        if let Some(space) = value.iter().position(|&byte| byte == b' ') {
            let (first, second) = (&value[..space], value[space..].trim_ascii());
            for (given, family) in [(first, second), (second, first)] {
                any.push(Matcher::All(vec![like("givenName", given), like("sn", family)]));
            }
        }
        Matcher::Any(any)
    }

    fn ordering(&self, attribute: &str, value: &[u8], test: fn(Vec<u8>) -> Test) -> Matcher {
        let attribute = self.named(attribute);
        let syntax = attribute.syntax();
        match self.value(&attribute, value) {
            // Names have no order.
            _ if matches!(syntax, Syntax::Dn | Syntax::DnBinary) => Matcher::Never,
            Some(value) => Matcher::test(&attribute, test(value)),
            None if syntax == Syntax::Guid => Matcher::test(&attribute, test(value.to_vec())),
            // To Samba 4.22, what is no number or no time is below all that are.
            None if self.is_samba() && matches!(test(Vec::new()), Test::AtLeast(_)) => match syntax
            {
                Syntax::Integer | Syntax::Time => Matcher::present(&attribute),
                _ => Matcher::Never,
            },
            None => Matcher::Never,
        }
    }

    fn substrings(
        &self,
        attribute: &str,
        initial: Option<&[u8]>,
        any: &[Vec<u8>],
        last: Option<&[u8]>,
    ) -> Matcher {
        let attribute = self.named(attribute);
        let syntax = attribute.syntax();
        let comparable = match syntax {
            Syntax::Text | Syntax::Exact | Syntax::Octets => true,
            // Only Samba 4.22 looks into these, and not into a name that is no stored value.
            Syntax::Dn => self.is_samba() && attribute.name != "distinguishedName",
            Syntax::Integer | Syntax::Sid => self.is_samba(),
            Syntax::Boolean | Syntax::DnBinary | Syntax::Guid | Syntax::Time => false,
        };
        let normal = |part: &[u8]| match syntax {
            Syntax::Integer => Some(part.to_vec()),
            // Each part is read as a value of its own.
            _ => self.value(&attribute, part),
        };
        let parts = || {
            Some(Test::Like {
                initial: initial.map_or(Some(Vec::new()), normal)?,
                any: any.iter().map(|part| normal(part)).collect::<Option<_>>()?,
                last: last.map_or(Some(Vec::new()), normal)?,
            })
        };
        match parts().filter(|_| comparable) {
            Some(test) => Matcher::test(&attribute, test),
            None => Matcher::Never,
        }
    }

    fn extensible(&self, rule: Option<&str>, attribute: &str, value: &[u8]) -> Matcher {
        let named = self.named(attribute);
        let syntax = named.syntax();
        let number = || {
            let text = std::str::from_utf8(value).ok()?.trim();
            if self.is_samba() { c_number(text) } else { text.parse().ok() }
        };
        let bits = |test: fn(i64) -> Test| match number().filter(|_| syntax == Syntax::Integer) {
            Some(bits) => Matcher::test(&named, test(bits)),
            None if self.is_samba() && named.known.is_some() => {
                Matcher::fails(ResultCode::INVALID_ATTRIBUTE_SYNTAX)
            }
            None => Matcher::Never,
        };
        match rule {
            None => self.equality(attribute, value),
            Some(BIT_AND) => bits(Test::AllBits),
            Some(BIT_OR) => bits(Test::AnyBits),
            Some(IN_CHAIN) if syntax == Syntax::Dn => {
                let dn = self.value(&named, value);
                let chain = |dn| Matcher::InChain { attribute: named.name.to_owned(), dn };
                dn.map_or(Matcher::Never, chain)
            }
            Some(_) => Matcher::Never,
        }
    }
}

/// A number as `strtoll` reads it: decimal, octal after `0`, hexadecimal after `0x`.
fn c_number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let number = match digits.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        // With its sign, for the lowest number has no positive counterpart.
        None => return text.parse().ok(),
    };
    number.ok().map(|number| if negative { -number } else { number })
}

impl Test {
    fn holds_for(&self, syntax: Syntax, value: &[u8]) -> bool {
        // What differs in letter case alone from a text in normal form has that form.
        let is_text = matches!(self, Self::Equals(other) if syntax == Syntax::Text
            && other.is_ascii() && other.eq_ignore_ascii_case(value));
        is_text || syntax.normalise(value).is_some_and(|value| self.holds(syntax, &value))
    }

    fn holds(&self, syntax: Syntax, value: &[u8]) -> bool {
        match self {
            Self::Equals(other) => value == other,
            Self::AtLeast(bound) => order(syntax, value, bound).is_some_and(|order| order.is_ge()),
            Self::AtMost(bound) => order(syntax, value, bound).is_some_and(|order| order.is_le()),
            Self::Like { initial, any, last } => is_like(value, initial, any, last),
            Self::AllBits(bits) => number(value).is_some_and(|number| number & bits == *bits),
            Self::AnyBits(bits) => number(value).is_some_and(|number| number & bits != 0),
        }
    }
}

fn order(syntax: Syntax, value: &[u8], bound: &[u8]) -> Option<std::cmp::Ordering> {
    match syntax {
        Syntax::Integer => Some(number(value)?.cmp(&number(bound)?)),
        _ => Some(value.cmp(bound)),
    }
}

fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn is_like(value: &[u8], initial: &[u8], any: &[Vec<u8>], last: &[u8]) -> bool {
    let Some(mut rest) = value.strip_prefix(initial) else { return false };
    for part in any.iter().filter(|part| !part.is_empty()) {
        let Some(at) = rest.windows(part.len()).position(|window| window == part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use ground::{Seed, Timestamp, VirtualClock};

    use super::*;
    use crate::{Directory, DirectoryConfig};

    fn candidates(filter: &str) -> Option<usize> {
        let clock = VirtualClock::starting_at(Timestamp::from_unix(0)).clock();
        let config = DirectoryConfig::new("corp.example", Seed::new(1), clock);
        let directory = Directory::build(config).unwrap();
        let (filter, state) = (Filter::parse(filter).unwrap(), directory.read());
        let matcher = Matcher::compile(&filter, &directory.domain, &state);
        matcher.candidates(&state.store).map(|ids| ids.len())
    }

    #[test]
    fn probes_are_answered_from_indexes() {
        assert_eq!(candidates("(|(sAMAccountName=krbtgt)(name=krbtgt))"), Some(1));
        assert_eq!(candidates("(&(objectClass=user)(sAMAccountName=ALICE))"), Some(1));
        assert_eq!(candidates("(objectSid=S-1-5-32-544)"), Some(1));
        assert_eq!(candidates("(&(objectClass=trustedDomain)(flatName=CORP))"), Some(0));
        assert_eq!(candidates("(|(name=krbtgt)(name=alice normal)(name=none))"), Some(2));
        assert_eq!(candidates("(description=*)"), None);
        assert_eq!(candidates("(|(name=krbtgt)(description=*))"), None);
    }

    #[test]
    fn parts_of_a_substring_do_not_overlap() {
        let like = |value: &[u8], initial: &[u8], any: &[&[u8]], last: &[u8]| {
            let any: Vec<Vec<u8>> = any.iter().map(|part| part.to_vec()).collect();
            is_like(value, initial, &any, last)
        };
        assert!(like(b"abcabc", b"ab", &[b"ca"], b"bc"));
        assert!(!like(b"abc", b"ab", &[], b"bc"));
        assert!(!like(b"aa", b"a", &[b"a"], b"a"));
        assert!(like(b"abc", b"", &[], b""));
    }
}
