//! The map from what was written to what stands in its place, and back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use ground::Seed;
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{Scrubber, address};

/// The version of the file that this program writes and reads.
const VERSION: u32 = 1;

/// What stands for what: the one thing that turns invented names back into real ones.
///
/// Whoever has it can read the customer's names, so it stays with the customer. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScrubMap {
    version: u32,
    /// What inventions are drawn from; nobody who lacks it can guess what stands for a word.
    secret: String,
    /// Letters by letters, both in lower case.
    words: BTreeMap<String, String>,
    /// Digits by digits, from three on.
    numbers: BTreeMap<String, String>,
    /// Binary identifiers in hexadecimal: object GUIDs, key identifiers, address ranges.
    identifiers: BTreeMap<String, String>,
    addresses: BTreeMap<IpAddr, IpAddr>,
    /// Ends of words that a wildcard stands in front of: `*c1` matches `dc1`.
    ends: BTreeSet<String>,
}

/// Failed to read a map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScrubMapError {
    /// No map at all.
    #[error("it is no scrub map: {0}")]
    Format(String),
    /// Written by another release.
    #[error("it has version {found}; this program reads version {VERSION}")]
    Version {
        /// The version of the file.
        found: u32,
    },
}

impl ScrubMap {
    pub(in crate::clone) fn new(secret: String) -> Self {
        Self {
            version: VERSION,
            secret,
            words: BTreeMap::new(),
            numbers: BTreeMap::new(),
            identifiers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            ends: BTreeSet::new(),
        }
    }

    /// Reads what [`ScrubMap::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// The text is something else, or of another version.
    pub fn from_json(text: &str) -> Result<Self, ScrubMapError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let format = |error: serde_json::Error| ScrubMapError::Format(error.to_string());
        let Head { version } = serde_json::from_str(text).map_err(format)?;
        if version != VERSION {
            return Err(ScrubMapError::Version { found: version });
        }
        serde_json::from_str(text).map_err(format)
    }

    /// The map as a file. Its reader may know every name in it.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a map with text as keys can be written as JSON");
        text.push('\n');
        text
    }

    /// The map from the inventions back to the originals.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self {
            version: self.version,
            secret: self.secret.clone(),
            words: inverse(&self.words),
            numbers: inverse(&self.numbers),
            identifiers: inverse(&self.identifiers),
            addresses: self.addresses.iter().map(|(old, new)| (*new, *old)).collect(),
            ends: BTreeSet::new(),
        }
    }

    /// What stands for a name, such as the host name that a client wants, be it in a certificate
    /// or not. What is new gets an invention of its own.
    pub fn name(&mut self, name: &str) -> String {
        let mut collector = Scrubber::new(self);
        collector.text(name);
        *self = collector.learned();
        Scrubber::new(self).text(name)
    }

    pub(super) fn word(&self, word: &str) -> Option<&str> {
        self.words.get(word).map(String::as_str)
    }

    pub(super) fn number(&self, number: &str) -> Option<&str> {
        self.numbers.get(number).map(String::as_str)
    }

    pub(super) fn identifier(&self, octets: &[u8]) -> Option<Vec<u8>> {
        unhex(self.identifiers.get(&hex(octets))?)
    }

    pub(super) fn address(&self, address: IpAddr) -> Option<IpAddr> {
        self.addresses.get(&address).copied()
    }

    pub(super) fn secret(&self) -> Seed {
        Seed::new(0).child(&self.secret)
    }

    /// Invents something for whatever of `seen` has nothing yet.
    pub(super) fn extend(&mut self, seen: &Seen) {
        let secret = self.secret();
        self.ends.extend(seen.ends.iter().cloned());
        // Short ones first, so that a word can end as the end of it does.
        let mut words: Vec<&String> = seen.words.iter().collect();
        words.sort_by_key(|word| (word.chars().count(), word.as_str()));
        let mut taken: BTreeSet<String> = self.words.values().cloned().collect();
        for word in words {
            if !self.words.contains_key(word) {
                let free = |candidate: &str| {
                    !taken.contains(candidate)
                        && !seen.words.contains(candidate)
                        && !self.words.contains_key(candidate)
                };
                let invented = self.invent_word(&secret, word, free);
                taken.insert(invented.clone());
                self.words.insert(word.clone(), invented);
            }
        }
        let mut taken: BTreeSet<String> = self.numbers.values().cloned().collect();
        for number in &seen.numbers {
            if !self.numbers.contains_key(number) {
                let invented = invent_number(&secret, number, |candidate| {
                    !taken.contains(candidate) && !seen.numbers.contains(candidate)
                });
                taken.insert(invented.clone());
                self.numbers.insert(number.clone(), invented);
            }
        }
        for octets in &seen.identifiers {
            self.identifiers.entry(hex(octets)).or_insert_with(|| {
                let mut invented = vec![0; octets.len()];
                secret.stream(&format!("identifier {}", hex(octets))).fill_bytes(&mut invented);
                hex(&invented)
            });
        }
        for octets in &seen.ranges {
            let (network, mask) = octets.split_at(octets.len() / 2);
            let exchanged = address::from_octets(network)
                .map(|network| address::octets_of(address::exchange(&secret, network)));
            if let Some(exchanged) = exchanged {
                let range = address::covering(&exchanged, network, mask);
                self.identifiers.entry(hex(octets)).or_insert_with(|| hex(&range));
            }
        }
        for &address in &seen.addresses {
            self.addresses.entry(address).or_insert_with(|| address::exchange(&secret, address));
        }
    }

    fn invent_word(&self, secret: &Seed, word: &str, free: impl Fn(&str) -> bool) -> String {
        let letters: Vec<char> = word.chars().collect();
        // The longest end that a wildcard stands in front of keeps its own invention.
        let end = (1..letters.len()).find_map(|from| {
            let end: String = letters[from..].iter().collect();
            self.ends.contains(&end).then(|| self.words.get(&end).cloned().unwrap_or(end))
        });
        let own = letters.len() - end.as_ref().map_or(0, |end| end.chars().count());
        let mut stream = secret.stream(&format!("word {word}"));
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            let mut vowel = stream.next_u32() & 1 == 0;
            last = letters[..own]
                .iter()
                .map(|&letter| {
                    vowel = !vowel;
                    let any = letters.len() < 4;
                    letter_like(letter, any, vowel, stream.next_u32() as usize)
                })
                .chain(end.iter().flat_map(|end| end.chars()))
                .collect();
            if last != word && free(&last) {
                return last;
            }
        }
        last
    }
}

/// Tries before a word is taken as it comes. With 676 pairs of letters one is found long before.
const ATTEMPTS: usize = 10_000;

/// What occurs in the originals.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) words: BTreeSet<String>,
    pub(super) numbers: BTreeSet<String>,
    pub(super) identifiers: BTreeSet<Vec<u8>>,
    pub(super) addresses: BTreeSet<IpAddr>,
    pub(super) ends: BTreeSet<String>,
    /// Networks with their masks.
    pub(super) ranges: BTreeSet<Vec<u8>>,
}

fn letter_like(letter: char, any: bool, vowel: bool, number: usize) -> char {
    let of = |letters: &str| {
        let letters: Vec<char> = letters.chars().collect();
        letters[number % letters.len()]
    };
    match letter {
        'a'..='z' if any => of("abcdefghijklmnopqrstuvwxyz"),
        'a'..='z' if vowel => of("aeiou"),
        'a'..='z' => of("bdfgklmnprstvz"),
        // Letters that Latin-1 (and so T61String as it is used) has, and IDNA 2008 allows.
        '\u{80}'..='\u{24f}' => of("àáâäåæçèéêëìíîïñòóôöøùúûüý"),
        '\u{400}'..='\u{52f}' => of("абвгдежзиклмнопрстуфхцчшэюя"),
        '\u{2e80}'..='\u{d7ff}' => of("山川田中村木林森石水火金土日月天空海"),
        _ => of("αβγδεζηθικλμνξοπρστυφχψω"),
    }
}

fn invent_number(secret: &Seed, number: &str, free: impl Fn(&str) -> bool) -> String {
    let mut stream = secret.stream(&format!("number {number}"));
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        last = number
            .chars()
            .enumerate()
            .map(|(place, digit)| match (place, digit) {
                (0, '0') => '0',
                // A sub-authority of a SID, below 2^32, has ten digits at most.
                (0, _) if number.len() >= 10 => char::from(b'1' + (stream.next_u32() % 3) as u8),
                (0, _) => char::from(b'1' + (stream.next_u32() % 9) as u8),
                _ => char::from(b'0' + (stream.next_u32() % 10) as u8),
            })
            .collect();
        if last != number && free(&last) {
            break;
        }
    }
    last
}

fn inverse(map: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    map.iter().map(|(old, new)| (new.clone(), old.clone())).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

impl fmt::Debug for ScrubMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScrubMap(***)")
    }
}
