//! Which entries a filter finds.
//!
//! A filter is compiled once per search, with its values in normal form, and then tried on
//! entries. The logic has two values: what a filter says of an attribute that an entry has not, or
//! that no schema knows, is false.

use std::collections::BTreeSet;

use ldap_wire::Filter;

use crate::{
    computed,
    domain::Domain,
    entry::Entry,
    schema::{self, Syntax},
    state::State,
    store::{EntryId, Store},
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
    Present(String),
    Test {
        attribute: String,
        syntax: Syntax,
        test: Test,
    },
    InChain {
        attribute: String,
        dn: Vec<u8>,
    },
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
    pub(crate) fn compile(filter: &Filter, domain: &Domain) -> Self {
        let compile_all =
            |filters: &[Filter]| filters.iter().map(|each| Self::compile(each, domain)).collect();
        match filter {
            Filter::And(filters) => Self::All(compile_all(filters)),
            Filter::Or(filters) => Self::Any(compile_all(filters)),
            Filter::Not(filter) => Self::Not(Box::new(Self::compile(filter, domain))),
            Filter::Present(attribute) => Self::Present(schema::spelling(attribute).to_owned()),
            Filter::Equality { attribute, value } | Filter::Approx { attribute, value } => {
                Self::equality(attribute, value, domain)
            }
            Filter::GreaterOrEqual { attribute, value } => {
                Self::ordering(attribute, value, Test::AtLeast)
            }
            Filter::LessOrEqual { attribute, value } => {
                Self::ordering(attribute, value, Test::AtMost)
            }
            Filter::Substrings { attribute, initial, any, last } => {
                Self::substrings(attribute, initial.as_deref(), any, last.as_deref())
            }
            Filter::Extensible { rule, attribute: Some(attribute), value, .. } => {
                Self::extensible(rule.as_deref(), attribute, value, domain)
            }
            // AD has no rule that applies to all attributes.
            Filter::Extensible { attribute: None, .. } => Self::Never,
        }
    }

    /// The entries worth trying, if the indexes tell.
    pub(crate) fn candidates(&self, store: &Store) -> Option<BTreeSet<EntryId>> {
        match self {
            Self::Test { attribute, test: Test::Equals(value), .. }
                if Store::is_indexed(attribute) =>
            {
                Some(store.with_value(attribute, value).cloned().unwrap_or_default())
            }
            Self::All(all) => {
                all.iter().filter_map(|each| each.candidates(store)).min_by_key(BTreeSet::len)
            }
            Self::Any(any) => any.iter().map(|each| each.candidates(store)).try_fold(
                BTreeSet::new(),
                |mut union, each| {
                    union.extend(each?);
                    Some(union)
                },
            ),
            Self::Never => Some(BTreeSet::new()),
            _ => None,
        }
    }

    pub(crate) fn matches(
        &self,
        domain: &Domain,
        state: &State,
        id: EntryId,
        entry: &Entry,
    ) -> bool {
        match self {
            Self::All(all) => all.iter().all(|each| each.matches(domain, state, id, entry)),
            Self::Any(any) => any.iter().any(|each| each.matches(domain, state, id, entry)),
            Self::Not(inner) => !inner.matches(domain, state, id, entry),
            Self::Never => false,
            Self::Present(attribute) => {
                entry.has(attribute)
                    || computed::values(domain, state, id, entry, attribute, false)
                        .is_some_and(|values| !values.is_empty())
            }
            Self::Test { attribute, syntax, test } => {
                let holds = |value: &Vec<u8>| {
                    syntax.normalise(value).is_some_and(|value| test.holds(*syntax, &value))
                };
                match computed::values(domain, state, id, entry, attribute, false) {
                    Some(values) => values.iter().any(holds),
                    None => entry.values(attribute).iter().any(holds),
                }
            }
            Self::InChain { attribute, dn } => computed::in_chain(state, attribute, id, dn),
        }
    }

    fn equality(attribute: &str, value: &[u8], domain: &Domain) -> Self {
        if attribute.eq_ignore_ascii_case("anr") {
            return Self::ambiguous_name(value);
        }
        let attribute = schema::spelling(attribute);
        let syntax = schema::syntax(attribute);
        let normal = match attribute {
            "objectCategory" => category(value, domain),
            _ => None,
        };
        match normal.or_else(|| syntax.normalise(value)) {
            Some(value) => Self::test(attribute, syntax, Test::Equals(value)),
            None => Self::Never,
        }
    }

    /// Ambiguous name resolution: the attributes of [MS-ADTS] 3.1.1.3.1.3.3, each by its start.
    fn ambiguous_name(value: &[u8]) -> Self {
        const NAMES: [&str; 7] =
            ["displayName", "givenName", "mail", "name", "sAMAccountName", "sn", "proxyAddresses"];
        let like = |name: &&str| Self::substrings(name, Some(value), &[], None);
        Self::Any(NAMES.iter().map(like).collect())
    }

    fn ordering(attribute: &str, value: &[u8], test: fn(Vec<u8>) -> Test) -> Self {
        let syntax = schema::syntax(attribute);
        match syntax.normalise(value) {
            Some(value) => Self::test(schema::spelling(attribute), syntax, test(value)),
            None => Self::Never,
        }
    }

    fn substrings(
        attribute: &str,
        initial: Option<&[u8]>,
        any: &[Vec<u8>],
        last: Option<&[u8]>,
    ) -> Self {
        let syntax = schema::syntax(attribute);
        if !matches!(syntax, Syntax::Text | Syntax::Octets | Syntax::DnBinary) {
            return Self::Never;
        }
        // Every byte string has a normal form in these syntaxes.
        let normal = |part: &[u8]| syntax.normalise(part).unwrap_or_default();
        let test = Test::Like {
            initial: normal(initial.unwrap_or_default()),
            any: any.iter().map(|part| normal(part)).collect(),
            last: normal(last.unwrap_or_default()),
        };
        Self::test(schema::spelling(attribute), syntax, test)
    }

    fn extensible(rule: Option<&str>, attribute: &str, value: &[u8], domain: &Domain) -> Self {
        let spelling = schema::spelling(attribute);
        let number = || std::str::from_utf8(value).ok()?.trim().parse().ok();
        let bits = |test: fn(i64) -> Test| {
            number().map(|bits| Self::test(spelling, Syntax::Integer, test(bits)))
        };
        let matcher = match rule {
            None => Some(Self::equality(attribute, value, domain)),
            Some(BIT_AND) => bits(Test::AllBits),
            Some(BIT_OR) => bits(Test::AnyBits),
            Some(IN_CHAIN) if schema::syntax(attribute) == Syntax::Dn => Syntax::Dn
                .normalise(value)
                .map(|dn| Self::InChain { attribute: spelling.to_owned(), dn }),
            Some(_) => None,
        };
        matcher.unwrap_or(Self::Never)
    }

    fn test(attribute: &str, syntax: Syntax, test: Test) -> Self {
        Self::Test { attribute: attribute.to_owned(), syntax, test }
    }
}

/// `objectCategory` may be asked by the name of a class ([MS-ADTS] 3.1.1.3.1.3.5).
fn category(value: &[u8], domain: &Domain) -> Option<Vec<u8>> {
    let class = schema::class(std::str::from_utf8(value).ok()?)?;
    let dn = domain.schema().child("CN", class.category);
    Some(dn.key().as_str().as_bytes().to_vec())
}

impl Test {
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
        let matcher = Matcher::compile(&Filter::parse(filter).unwrap(), &directory.domain);
        matcher.candidates(&directory.read().store).map(|ids| ids.len())
    }

    #[test]
    fn probes_are_answered_from_indexes() {
        assert_eq!(candidates("(|(sAMAccountName=krbtgt)(name=krbtgt))"), Some(1));
        assert_eq!(candidates("(&(objectClass=user)(sAMAccountName=ALICE))"), Some(1));
        assert_eq!(candidates("(objectSid=S-1-5-32-544)"), Some(1));
        assert_eq!(candidates("(&(objectClass=trustedDomain)(flatName=CORP))"), Some(0));
        assert_eq!(candidates("(objectClass=user)"), None);
        assert_eq!(candidates("(|(name=krbtgt)(objectClass=user))"), None);
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
