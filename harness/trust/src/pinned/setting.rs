//! What a party is given from outside.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use ground::{Clock, Seed, Trail};

use super::PeerName;

/// Where and when a party lives.
#[derive(Debug)]
pub struct Setting {
    /// What it calls itself.
    pub name: PeerName,
    /// The folder of its store.
    pub folder: PathBuf,
    /// What it draws its keys from. Another start of the same party needs another one.
    pub seed: Seed,
    /// Its time.
    pub clock: Clock,
    /// Where what it does is recorded.
    pub trail: Trail,
    /// How often it has drawn.
    drawn: AtomicU64,
}

impl Setting {
    /// A party that keeps what it keeps in `folder`.
    pub fn new(name: &str, folder: &Path, seed: Seed, clock: Clock, trail: Trail) -> Self {
        let folder = folder.to_owned();
        Self { name: name.into(), folder, seed, clock, trail, drawn: AtomicU64::new(0) }
    }

    /// A seed that was not drawn before.
    pub(super) fn draw(&self) -> Seed {
        self.numbered(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// All that were drawn so far.
    pub(super) fn drawn(&self) -> impl Iterator<Item = Seed> {
        (0..self.drawn.load(Ordering::Relaxed)).map(|number| self.numbered(number))
    }

    fn numbered(&self, number: u64) -> Seed {
        self.seed.child(&format!("{} draw {number}", self.name))
    }
}
