//! Numbers of accounts on this host: `idmap config * : backend = autorid`.
//!
//! The range of smb.conf is cut into pieces of 100000 numbers. The first belongs to accounts that
//! are the same everywhere; every further one goes to a domain (or to the next 100000 accounts of
//! one) when the first of its accounts is asked for, and stays with it. The stand-in for
//! `autorid.tdb` survives restarts of winbind, departures and joins.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::Winbind;
use crate::HostRoot;

/// Stands for `autorid.tdb`.
const PATH: &str = "/var/lib/samba/autorid.json";
const MODE: u32 = 0o600;
/// `rangesize`, which xapi leaves at its default (idmap_autorid(8)).
const PIECE: u32 = 100_000;

/// The pieces that have been given away.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Pieces {
    /// By SID of the domain and number of the piece within it: `S-1-5-21-…#1`.
    owners: BTreeMap<String, u32>,
}

impl Pieces {
    fn load(root: &HostRoot) -> Self {
        let content = root.read_if_present(PATH).ok().flatten();
        content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
    }
}

impl Winbind<'_> {
    /// The number of the account with that SID; `None` when there is none left.
    pub(super) fn number_of(&self, sid: &str) -> Option<u32> {
        let (domain, rid) = sid.rsplit_once('-')?;
        let rid: u32 = rid.parse().ok()?;
        let range = self.id_range()?;
        let mut pieces = Pieces::load(self.run.root());
        let owner = match rid / PIECE {
            0 => domain.to_owned(),
            further => format!("{domain}#{further}"),
        };
        let piece = match pieces.owners.get(&owner) {
            Some(piece) => *piece,
            None => {
                // The first is nobody's.
                let next = pieces.owners.values().max().map_or(1, |last| last + 1);
                let last = next.checked_mul(PIECE)?.checked_add(PIECE - 1)?;
                if last > range.end() - range.start() {
                    return None;
                }
                pieces.owners.insert(owner, next);
                let content = serde_json::to_vec(&pieces).unwrap_or_default();
                self.run.root().write(PATH, &content, MODE).ok()?;
                next
            }
        };
        Some(range.start() + piece * PIECE + rid % PIECE)
    }

    /// The SID that has that number; `None` if no domain has it.
    pub(super) fn sid_of_number(&self, number: u32) -> Option<String> {
        let range = self.id_range()?;
        let offset = number.checked_sub(*range.start()).filter(|_| range.contains(&number))?;
        let pieces = Pieces::load(self.run.root());
        let (owner, _) = pieces.owners.iter().find(|(_, piece)| **piece == offset / PIECE)?;
        let (domain, further) = owner.split_once('#').unwrap_or((owner, "0"));
        let rid = further.parse::<u32>().ok()?.checked_mul(PIECE)?.checked_add(offset % PIECE)?;
        Some(format!("{domain}-{rid}"))
    }

    /// `idmap config * : range`.
    fn id_range(&self) -> Option<RangeInclusive<u32>> {
        self.run.settings.id_range.clone()
    }
}
