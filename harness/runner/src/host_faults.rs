//! The faults of a host: what somebody has done to its files or its clock.
//!
//! The model of the Samba client has no fault switches. A fault here is the deed itself, done to a
//! host's root directory or clock, and undone when it is cleared: files are put back as they were.
//! They live in this crate because some of them need certificates of the domain, which a host does not know.

mod bundle;
mod clock;

use std::{fmt, str::FromStr};

use fake_dc::Domain;
use fake_dc_pki::{CaCertificate, PkiError};
use ground::Skew;
use sim_host::{GENERAL_BUNDLE, HostError, HostRoot, LDAPS_BUNDLE};

/// What a fault of a host is, for people.
#[derive(Debug)]
#[non_exhaustive]
pub struct HostFaultInfo {
    /// Its id, which never changes.
    pub id: &'static str,
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// What leads to it in real life.
    pub cause: &'static str,
    /// What is in the files, or what the clocks show, drawn.
    pub drawing: &'static str,
    /// The value it has without one, such as `60d`; `None` if it takes none.
    pub default_value: Option<&'static str>,
    /// Faults of the DC without which it shows nothing.
    pub together_with: &'static [&'static str],
    apply: fn(&mut Hand<'_>, Value) -> Result<(), HostFaultError>,
}

/// All faults of a host, family by family.
pub fn catalogue() -> impl Iterator<Item = &'static HostFaultInfo> + Clone {
    [bundle::FAULTS, clock::FAULTS].into_iter().flatten()
}

/// A fault of a host, parsed from `ID[:VALUE]`.
///
/// ```
/// use runner::host_faults::HostFault;
///
/// let fault: HostFault = "time.host-clock-behind:36h".parse()?;
/// assert_eq!(fault.to_string(), "time.host-clock-behind:36h");
/// assert_eq!(
///     "anchor.empty-bundle:1".parse::<HostFault>().unwrap_err().to_string(),
///     "`anchor.empty-bundle` takes no value"
/// );
/// # Ok::<(), runner::host_faults::HostFaultError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HostFault {
    info: &'static HostFaultInfo,
    text: String,
    value: Value,
}

/// What stands behind the colon.
#[derive(Clone, Copy, Debug)]
enum Value {
    None,
    Seconds(i64),
}

/// Why a fault of a host cannot be read or set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostFaultError {
    /// The value is no duration.
    #[error("`{value}` is no value of `{id}`; write a duration such as `90s` or `1d12h`")]
    BadValue {
        /// The fault.
        id: &'static str,
        /// The value.
        value: String,
    },
    /// The host has no certificates that could be mistreated.
    #[error("`{id}` needs a bundle, and the host has none; install a certificate first")]
    NoBundle {
        /// The fault.
        id: &'static str,
    },
    /// A value where none belongs.
    #[error("`{id}` takes no value")]
    NoValue {
        /// The fault.
        id: &'static str,
    },
    /// No DC serves what the fault copies.
    #[error("no DC shows a self-signed certificate; set `anchor.self-signed-leaf` on one first")]
    NothingSelfSigned,
    /// The host's files cannot be changed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A certificate of the domain cannot be had.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// No fault of a host has this id.
    #[error("`{id}` is no fault of a host")]
    Unknown {
        /// The text.
        id: String,
    },
}

impl HostFault {
    /// What it is.
    pub fn info(&self) -> &'static HostFaultInfo {
        self.info
    }
}

impl FromStr for HostFault {
    type Err = HostFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, value) = match text.split_once(':') {
            Some((id, value)) => (id, Some(value)),
            None => (text, None),
        };
        let info = catalogue()
            .find(|info| info.id == id)
            .ok_or_else(|| HostFaultError::Unknown { id: id.to_owned() })?;
        let value = match (value, info.default_value) {
            (None, None) => Value::None,
            (Some(_), None) => return Err(HostFaultError::NoValue { id: info.id }),
            (value, Some(default)) => {
                let text = value.unwrap_or(default);
                let bad = || HostFaultError::BadValue { id: info.id, value: text.to_owned() };
                let duration: scenario::Advance = text.parse().map_err(|_| bad())?;
                Value::Seconds(i64::try_from(duration.0.as_secs()).map_err(|_| bad())?)
            }
        };
        Ok(Self { info, text: text.to_owned(), value })
    }
}

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The faults that one host has, and how to undo them.
#[derive(Debug, Default)]
pub(crate) struct HostFaults {
    set: Vec<HostFault>,
    /// What the changed files held before, in the order of the changes.
    former: Vec<(String, Option<Vec<u8>>)>,
}

impl HostFaults {
    /// The faults, as they were written.
    pub(crate) fn all(&self) -> &[HostFault] {
        &self.set
    }

    /// Undoes what was set and sets `faults`. Returns the paths that somebody has touched.
    pub(crate) fn replace(
        &mut self,
        root: &HostRoot,
        skew: &Skew,
        domain: Option<&Domain>,
        faults: Vec<HostFault>,
    ) -> Result<Vec<String>, HostFaultError> {
        let mut touched: Vec<String> = self.former.iter().map(|(path, _)| path.clone()).collect();
        while let Some((path, content)) = self.former.pop() {
            match content {
                Some(content) => root.write(&path, &content, 0o644)?,
                None => drop(root.remove(&path)?),
            }
        }
        self.set.clear();
        skew.set(0);
        for fault in faults {
            let mut hand = Hand { id: fault.info.id, root, skew, domain, former: &mut self.former };
            (fault.info.apply)(&mut hand, fault.value)?;
            self.set.push(fault);
        }
        touched.extend(self.former.iter().map(|(path, _)| path.clone()));
        touched.sort();
        touched.dedup();
        Ok(touched)
    }
}

/// Somebody at work on a host, who remembers what was there before.
struct Hand<'a> {
    id: &'static str,
    root: &'a HostRoot,
    skew: &'a Skew,
    domain: Option<&'a Domain>,
    former: &'a mut Vec<(String, Option<Vec<u8>>)>,
}

impl Hand<'_> {
    fn write(&mut self, path: &str, content: &[u8]) -> Result<(), HostFaultError> {
        self.former.push((path.to_owned(), self.root.read_if_present(path)?));
        Ok(self.root.write(path, content, 0o644)?)
    }

    fn remove(&mut self, path: &str) -> Result<(), HostFaultError> {
        self.former.push((path.to_owned(), self.root.read_if_present(path)?));
        self.root.remove(path)?;
        Ok(())
    }

    /// The bundle that LDAPS uses, or would use if it existed.
    fn bundle(&self) -> Result<&'static str, HostFaultError> {
        let general = !self.root.exists(LDAPS_BUNDLE)? && self.root.exists(GENERAL_BUNDLE)?;
        Ok(if general { GENERAL_BUNDLE } else { LDAPS_BUNDLE })
    }

    /// What that bundle holds.
    fn bundle_content(&self) -> Result<Vec<u8>, HostFaultError> {
        let content = self.root.read_if_present(self.bundle()?)?;
        content.ok_or(HostFaultError::NoBundle { id: self.id })
    }

    fn intermediate(&self) -> Result<String, HostFaultError> {
        let pki = self.domain.map(Domain::pki);
        Ok(pki
            .map(|pki| pki.certificate_pem(CaCertificate::Intermediate))
            .transpose()?
            .unwrap_or_default())
    }

    /// The certificates that the DCs show at this moment as their own.
    fn leaves(&self) -> String {
        self.domain.iter().flat_map(|domain| domain.dcs()).map(|dc| dc.chain().leaf_pem()).collect()
    }

    /// Those of them that are their own root.
    fn self_signed_leaves(&self) -> Result<String, HostFaultError> {
        let chains = self.domain.iter().flat_map(|domain| domain.dcs()).map(|dc| dc.chain());
        let leaves: String = chains
            .filter(|chain| {
                chain.anchor.is_some() && chain.anchor.as_ref() == chain.certificates.first()
            })
            .map(|chain| chain.leaf_pem())
            .collect();
        if leaves.is_empty() { Err(HostFaultError::NothingSelfSigned) } else { Ok(leaves) }
    }
}
