//! The catalogue of certificate faults, one file per family.
//!
//! A fault is an edit of a [`ChainPlan`]. In `chain` each entry draws what it leads to: who signs
//! whom (`→`), the flaw in brackets, and what the server sends.
//!
//! Faults of the host's bundle (`anchor.empty-bundle` and the like), of clocks and of handshakes
//! are not here: they live where they happen.

use std::{fmt, hash, str::FromStr};

use crate::{error::PkiError, plan::ChainPlan};

mod algorithm;
mod anchor;
mod chain;
mod name;
mod profile;
mod revocation;
mod store;
mod time;

/// What a fault is, for people.
#[non_exhaustive]
pub struct FaultInfo {
    /// Its id, which never changes.
    pub id: &'static str,
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// What leads to it in real life.
    pub cause: &'static str,
    /// The chain, drawn, and what is sent of it.
    pub chain: &'static str,
    apply: fn(&mut ChainPlan),
}

impl fmt::Debug for FaultInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// All certificate faults, family by family.
pub fn catalogue() -> impl Iterator<Item = &'static FaultInfo> + Clone {
    [
        time::FAULTS,
        anchor::FAULTS,
        chain::FAULTS,
        name::FAULTS,
        profile::leaf::FAULTS,
        profile::authority::FAULTS,
        profile::form::FAULTS,
        algorithm::FAULTS,
        revocation::FAULTS,
        store::FAULTS,
    ]
    .into_iter()
    .flatten()
}

/// The fault of this id.
pub fn fault(id: &str) -> Option<ChainFault> {
    catalogue().find(|fault| fault.id == id).map(ChainFault)
}

/// A fault of the catalogue, parsed from its id.
///
/// ```
/// use fake_dc_pki::ChainFault;
///
/// let fault: ChainFault = "time.leaf-expired".parse()?;
/// assert_eq!(fault.to_string(), "time.leaf-expired");
/// assert_eq!(
///     "time.leaf-expird".parse::<ChainFault>().unwrap_err().to_string(),
///     "`time.leaf-expird` is no certificate fault; did you mean `time.leaf-expired`"
/// );
/// # Ok::<(), fake_dc_pki::PkiError>(())
/// ```
#[derive(Clone, Copy)]
pub struct ChainFault(&'static FaultInfo);

impl ChainFault {
    /// Its id.
    pub const fn id(self) -> &'static str {
        self.0.id
    }

    /// What it is, for people.
    pub const fn info(self) -> &'static FaultInfo {
        self.0
    }

    /// Makes the plan wrong in this way. Later faults build on what earlier ones changed.
    pub fn apply(self, plan: &mut ChainPlan) {
        (self.0.apply)(plan);
    }
}

impl FromStr for ChainFault {
    type Err = PkiError;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        fault(id).ok_or_else(|| PkiError::unknown_fault(id))
    }
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Debug for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl PartialEq for ChainFault {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for ChainFault {}

impl PartialOrd for ChainFault {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChainFault {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id().cmp(other.id())
    }
}

impl hash::Hash for ChainFault {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}
