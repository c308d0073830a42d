//! The host's machine account: what Samba keeps in `secrets.tdb`.
//!
//! The model keeps it as JSON in `secrets.json` beside the place of the real file.

use ground::Secret;
use serde::{Deserialize, Serialize};

use super::ads::Account;
use crate::{Entry, HostError, HostRoot};

/// The directory of everything private, Samba's `private dir`.
pub(super) const PRIVATE_DIRECTORY: &str = "/var/lib/samba/private";
const PATH: &str = "/var/lib/samba/private/secrets.json";
const MODE: u32 = 0o600;

/// What a join leaves on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// Format of the file.
    version: u32,
    /// DNS name of the domain.
    pub(super) domain: String,
    /// NetBIOS name of the domain.
    pub(crate) workgroup: String,
    /// SID of the domain.
    pub(crate) domain_sid: String,
    /// NetBIOS name of the machine, without `$`.
    pub(super) machine: String,
    /// Password of the machine account.
    pub(crate) password: Secret,
}

impl Secrets {
    /// Version written by this program.
    const VERSION: u32 = 1;

    /// The result of a join.
    pub(super) fn new(
        domain: &str,
        workgroup: &str,
        domain_sid: String,
        machine: &str,
        password: Secret,
    ) -> Self {
        Self {
            version: Self::VERSION,
            domain: domain.to_owned(),
            workgroup: workgroup.to_owned(),
            domain_sid,
            machine: machine.to_owned(),
            password,
        }
    }

    /// The same with a new password.
    pub(super) fn with_password(&self, password: Secret) -> Self {
        Self { password, ..self.clone() }
    }

    /// The machine account.
    pub(super) fn account(&self) -> Account {
        Account { name: format!("{}$", self.machine), password: self.password.clone() }
    }

    /// The host's secrets. A file that cannot be read or understood is as good as none, as a
    /// damaged `secrets.tdb` is for Samba.
    pub(crate) fn load(root: &HostRoot) -> Option<Self> {
        let content = root.read_if_present(PATH).ok()??;
        serde_json::from_slice(&content)
            .ok()
            .filter(|secrets: &Self| secrets.version == Self::VERSION)
    }

    /// Keeps the secrets.
    pub(super) fn save(&self, root: &HostRoot) -> Result<(), HostError> {
        let content = serde_json::to_vec_pretty(self).unwrap_or_default();
        root.write(PATH, &content, MODE)
    }

    /// Forgets the secrets.
    pub(super) fn remove(root: &HostRoot) -> Result<(), HostError> {
        root.remove(PATH).map(drop)
    }

    /// `tdbtool … erase`, then everything else in the directory.
    pub(super) fn wipe(root: &HostRoot) -> Result<(), HostError> {
        for name in root.list(PRIVATE_DIRECTORY)? {
            let path = format!("{PRIVATE_DIRECTORY}/{name}");
            if root.entry(&path)? == Entry::Directory {
                root.remove_directory(&path)?;
            } else {
                root.remove(&path)?;
            }
        }
        Ok(())
    }
}
