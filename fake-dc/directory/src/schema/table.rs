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
            if name(self.rows[at]).eq_ignore_ascii_case(wanted) {
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

/// FNV-1a of the name in lower case.
fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    // The upper half is mixed better than the lower.
    usize::try_from(hash ^ hash >> 15).unwrap_or_default()
}
