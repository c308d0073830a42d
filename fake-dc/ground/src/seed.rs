//! One seed drives every choice of a run.

use std::fmt;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The random numbers drawn for one purpose. Implements [`rand::Rng`].
pub type Stream = ChaCha20Rng;

/// The seed of a run.
///
/// Every use names what it draws for, so that adding one draw somewhere does not shift the
/// numbers that another component sees.
///
/// ```
/// use ground::Seed;
///
/// let seed = Seed::new(7);
/// assert_eq!(seed.uuid("host1"), Seed::new(7).uuid("host1"));
/// assert_ne!(seed.uuid("host1"), seed.uuid("host2"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed that a user wrote as `number`.
    pub fn new(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }

    /// The seed of a component, derived from this one and the component's name.
    pub fn child(&self, name: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(self.0);
        digest.update(name.as_bytes());
        Self(digest.finalize().into())
    }

    /// The numbers for one purpose.
    pub fn stream(&self, purpose: &str) -> Stream {
        Stream::from_seed(self.child(purpose).0)
    }

    /// A version 4 UUID for one purpose.
    pub fn uuid(&self, purpose: &str) -> Uuid {
        let mut bytes = [0; 16];
        self.stream(purpose).fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = u64::from_le_bytes([
            self.0[0], self.0[1], self.0[2], self.0[3], self.0[4], self.0[5], self.0[6], self.0[7],
        ]);
        write!(f, "Seed({head:#x})")
    }
}
