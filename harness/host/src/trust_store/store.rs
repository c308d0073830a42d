//! Reading and changing the files.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError};

use ground::Trail;

use crate::{
    HostError, HostRoot,
    facts::{FileChange, TrustStoreChanged},
    root::Entry,
    smb_conf::TrustLine,
    trust_store::{GENERAL_BUNDLE, LDAPS_BUNDLE, StoreDirectory},
};

/// The files of each directory, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The trust store of one host.
#[derive(Debug)]
pub(crate) struct TrustStore {
    root: HostRoot,
    /// Bundle generation on one host is serialised.
    bundling: Mutex<()>,
}

impl TrustStore {
    pub(crate) fn new(root: HostRoot) -> Self {
        Self { root, bundling: Mutex::default() }
    }

    /// Creates missing directories.
    pub(crate) fn create_directories(&self) -> Result<(), HostError> {
        StoreDirectory::ALL
            .into_iter()
            .try_for_each(|directory| self.root.create_directory(&directory.path(), 0o700))
    }

    /// Adds a certificate file and renews the bundle. Says whether the name was free; if not,
    /// nothing is done.
    pub(crate) fn add(
        &self,
        directory: StoreDirectory,
        name: &str,
        content: &[u8],
        trail: &Trail,
    ) -> Result<bool, HostError> {
        let path = format!("{}/{name}", directory.path());
        if self.root.exists(&path)? {
            return Ok(false);
        }
        self.root.create_directory(&directory.path(), 0o700)?;
        self.root.write(&path, content, 0o644)?;
        changed(trail, &path, FileChange::Written);
        self.renew_bundle(directory, trail)?;
        Ok(true)
    }

    /// Removes a certificate file, which may be absent, and renews the bundle.
    pub(crate) fn remove(
        &self,
        directory: StoreDirectory,
        name: &str,
        trail: &Trail,
    ) -> Result<(), HostError> {
        let path = format!("{}/{name}", directory.path());
        if self.root.remove(&path)? {
            changed(trail, &path, FileChange::Removed);
        }
        self.renew_bundle(directory, trail)
    }

    /// Makes the bundle of a directory from its files, the freshly rotated ones (`*.new.pem`)
    /// first, each group in the order of names. A bundle of nothing does not exist.
    pub(crate) fn renew_bundle(
        &self,
        directory: StoreDirectory,
        trail: &Trail,
    ) -> Result<(), HostError> {
        let Some(bundle) = directory.bundle() else { return Ok(()) };
        let _one_at_a_time = self.bundling.lock().unwrap_or_else(PoisonError::into_inner);
        self.root.create_directory(&directory.path(), 0o700)?;
        let mut names = self.root.list(&directory.path())?;
        names.retain(|name| name.ends_with(".pem"));
        names.sort_by_key(|name| !name.ends_with(".new.pem"));
        let mut content = Vec::new();
        for name in names {
            let path = format!("{}/{name}", directory.path());
            if self.root.entry(&path)? == Entry::File {
                content.extend(self.root.read(&path)?);
                content.push(b'\n');
            }
        }
        if content.is_empty() {
            if self.root.entry(&bundle)? == Entry::File && self.root.remove(&bundle)? {
                changed(trail, &bundle, FileChange::Removed);
            }
        } else if self.root.read_if_present(&bundle).ok().flatten().as_ref() != Some(&content) {
            self.root.write(&bundle, &content, 0o644)?;
            changed(trail, &bundle, FileChange::Written);
        }
        Ok(())
    }

    /// Renews every bundle.
    pub(crate) fn renew_bundles(&self, trail: &Trail) -> Result<(), HostError> {
        StoreDirectory::ALL
            .into_iter()
            .try_for_each(|directory| self.renew_bundle(directory, trail))
    }

    /// The regular files of a directory.
    pub(crate) fn files(&self, directory: StoreDirectory) -> Result<Files, HostError> {
        let mut files = Files::new();
        for name in self.root.list(&directory.path())? {
            let path = format!("{}/{name}", directory.path());
            let wanted = directory != StoreDirectory::Crl || name.ends_with(".pem");
            if wanted && self.root.entry(&path)? == Entry::File {
                files.insert(name, self.root.read(&path)?);
            }
        }
        Ok(files)
    }

    /// Whether a directory has a file of this name.
    pub(crate) fn has(&self, directory: StoreDirectory, name: &str) -> Result<bool, HostError> {
        self.root.exists(&format!("{}/{name}", directory.path()))
    }

    /// Replaces the content of a directory. The former one is kept as `<directory>.bk` meanwhile
    /// and comes back if a write fails.
    pub(crate) fn replace(
        &self,
        directory: StoreDirectory,
        files: &Files,
        trail: &Trail,
    ) -> Result<(), HostError> {
        let former = self.files(directory)?;
        let path = directory.path();
        let backup = format!("{path}.bk");
        self.root.create_directory(&path, 0o700)?;
        self.root.remove_directory(&backup)?;
        self.root.rename(&path, &backup)?;
        let written = self.root.create_directory(&path, 0o700).and_then(|()| {
            files.iter().try_for_each(|(name, content)| {
                self.root.write(&format!("{path}/{name}"), content, 0o644)
            })
        });
        if let Err(error) = written {
            self.root.remove_directory(&path)?;
            self.root.rename(&backup, &path)?;
            return Err(error);
        }
        self.root.remove_directory(&backup)?;
        for name in former.keys().filter(|name| !files.contains_key(*name)) {
            changed(trail, &format!("{path}/{name}"), FileChange::Removed);
        }
        for (name, content) in files {
            if former.get(name) != Some(content) {
                changed(trail, &format!("{path}/{name}"), FileChange::Written);
            }
        }
        Ok(())
    }

    /// The bundle that LDAPS uses, chosen by existence alone (§2.4); `None` if there is none.
    /// `legacy` adds the directory of the legacy CAs as third choice, as early builds did.
    pub(crate) fn ldaps_trust(&self, legacy: bool) -> Result<Option<TrustLine>, HostError> {
        let third = legacy.then_some(super::LEGACY_CA_DIRECTORY);
        for path in [LDAPS_BUNDLE, GENERAL_BUNDLE].into_iter().chain(third) {
            match self.root.entry(path)? {
                Entry::Directory => return Ok(Some(TrustLine::Directory(path.to_owned()))),
                Entry::File => return Ok(Some(TrustLine::File(path.to_owned()))),
                Entry::Missing => {}
            }
        }
        Ok(None)
    }
}

fn changed(trail: &Trail, path: &str, change: FileChange) {
    trail.record(TrustStoreChanged { path: path.to_owned(), change });
}
