//! The RSA keys of `fixtures/rsa-pool`: public test material, see the README there.

use std::sync::{LazyLock, OnceLock};

use ground::{Seed, Stream};
use rand::Rng as _;

use super::{Authority, KeyOwner, rsa::RsaKey};
use crate::der::Element;

/// The keys of one size. Reading a key costs about as much as signing: each is read once per
/// process, when it is first used.
pub(crate) struct Pool {
    blocks: LazyLock<Vec<&'static str>>,
    keys: [OnceLock<Option<RsaKey>>; KEYS_MAX],
}

const KEYS_MAX: usize = 24;

macro_rules! pool {
    ($file:literal) => {{
        static POOL: Pool = Pool {
            blocks: LazyLock::new(|| {
                let text = include_str!(concat!("../../../../fixtures/rsa-pool/", $file));
                let starts = text.match_indices("-----BEGIN ").map(|(start, _)| start);
                let ends = starts.clone().skip(1).chain([text.len()]);
                starts.zip(ends).map(|(start, end)| &text[start..end]).collect()
            }),
            keys: [const { OnceLock::new() }; KEYS_MAX],
        };
        &POOL
    }};
}

impl Pool {
    /// The pool of this size, if there is one.
    pub(crate) fn of(bits: usize) -> Option<&'static Self> {
        Some(match bits {
            512 => pool!("rsa-512.pem"),
            1_024 => pool!("rsa-1024.pem"),
            2_048 => pool!("rsa-2048.pem"),
            3_072 => pool!("rsa-3072.pem"),
            4_096 => pool!("rsa-4096.pem"),
            8_192 => pool!("rsa-8192.pem"),
            _ => return None,
        })
    }

    /// The key that `owner` has under this seed. Authorities have the first keys of the shuffled
    /// pool, each its own while there are enough, and everybody else shares the rest.
    pub(crate) fn key(&'static self, seed: &Seed, owner: &KeyOwner) -> Option<&'static RsaKey> {
        let shuffled = self.shuffled(seed);
        let size = shuffled.len();
        let reserved = Authority::COUNT.min(size / 2);
        let place = match owner {
            KeyOwner::Authority(authority) | KeyOwner::Renewed(authority, _) => {
                *authority as usize % reserved.max(1)
            }
            KeyOwner::Named(name) => {
                let mut stream = seed.stream(&format!("RSA key of {name}"));
                reserved + below(&mut stream, (size - reserved).max(1))
            }
        };
        self.read(*shuffled.get(place)?)
    }

    /// The keys of 2048 bits for CAs that were renewed.
    pub(crate) fn renewed() -> &'static Self {
        pool!("rsa-2048-renewed.pem")
    }

    /// The key of this number, from 0, of the pool in the order that the seed gives it.
    pub(crate) fn numbered(&'static self, seed: &Seed, number: usize) -> Option<&'static RsaKey> {
        self.read(*self.shuffled(seed).get(number)?)
    }

    fn shuffled(&self, seed: &Seed) -> Vec<usize> {
        let size = self.blocks.len().min(KEYS_MAX);
        let mut shuffled: Vec<usize> = (0..size).collect();
        let mut stream = seed.stream("order of the RSA pool");
        for left in (1..size).rev() {
            shuffled.swap(left, below(&mut stream, left + 1));
        }
        shuffled
    }

    fn read(&'static self, index: usize) -> Option<&'static RsaKey> {
        let read = || {
            let block = pem::parse(self.blocks.get(index)?).ok()?;
            let pkcs8 = Element::parse(block.contents())?;
            RsaKey::from_pkcs1(&pkcs8.at(&[2])?.content())
        };
        self.keys[index].get_or_init(read).as_ref()
    }
}

fn below(stream: &mut Stream, limit: usize) -> usize {
    // A bias of 2^-32 is of no matter here.
    stream.next_u32() as usize % limit
}
