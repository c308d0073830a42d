//! A table in text whose rows are found by their first field, and read when they are first looked
//! at: there are nearly two thousand, and a domain is made of some two hundred of them.

use std::sync::OnceLock;

/// The rows of a text.
pub(super) struct Table<T: 'static> {
    pub(super) rows: Box<[&'static str]>,
    /// Places of rows plus one, by the hash of their names in lower case; 0 where there is none.
    /// Whose place is taken has the next that is free.
    places: Box<[u16]>,
    /// What the rows say, as far as they have been read.
    read: Box<[OnceLock<Option<Box<T>>>]>,
    reader: fn(&'static str) -> Option<T>,
}

impl<T> Table<T> {
    pub(super) fn new(text: &'static str, reader: fn(&'static str) -> Option<T>) -> Self {
        let rows: Box<[&str]> = rows(text).collect();
        // At least half of it stays free, so that few rows are looked at in vain.
        let mut places = vec![0_u16; (2 * rows.len()).next_power_of_two()];
        for (row, number) in rows.iter().zip(1..) {
            let mut place = hash(name(row)) & (places.len() - 1);
            while places[place] != 0 {
                place = (place + 1) & (places.len() - 1);
            }
            places[place] = number;
        }
        let read = rows.iter().map(|_| OnceLock::new()).collect();
        Self { rows, places: places.into(), read, reader }
    }

    /// The row of that name, in any letter case.
    pub(super) fn named(&'static self, wanted: &str) -> Option<&'static T> {
        let mut place = hash(wanted) & (self.places.len() - 1);
        loop {
            let at = usize::from(self.places[place]).checked_sub(1)?;
            if is_named(self.rows[at], wanted) {
                return self.at(at);
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// All rows in their order.
    pub(super) fn all(&'static self) -> impl Iterator<Item = &'static T> {
        (0..self.rows.len()).filter_map(|at| self.at(at))
    }

    fn at(&'static self, at: usize) -> Option<&'static T> {
        self.read[at].get_or_init(|| (self.reader)(self.rows[at]).map(Box::new)).as_deref()
    }
}

pub(super) fn rows(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn name(row: &str) -> &str {
    let end = row.bytes().position(|byte| byte == b' ');
    &row[..end.unwrap_or(row.len())]
}

/// Whether the row has that name, in any letter case.
fn is_named(row: &str, wanted: &str) -> bool {
    let (row, size) = (row.as_bytes(), wanted.len());
    matches!(row.get(size), None | Some(b' '))
        && row.get(..size).is_some_and(|name| {
            name == wanted.as_bytes() || name.eq_ignore_ascii_case(wanted.as_bytes())
        })
}

/// A number that a name has in any letter case. Eight bytes are mixed at a time: names are looked up
/// a dozen times for each search.
fn hash(name: &str) -> usize {
    // Makes small letters of capitals, and others of a few signs.
    const SMALL: u64 = 0x2020_2020_2020_2020;
    let mix = |hash: u64, word: u64| {
        let mixed = (hash ^ (word | SMALL)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    };
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    usize::try_from(mix(hash, rest) & 0xffff_ffff).unwrap_or_default()
}
