//! Reading and changing the files.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use ground::Trail;

use super::hash_links;
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
    /// Bundle generation on one host is serialised, and so is hashing.
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

    /// A host that dies in [`TrustStore::replace`] leaves half a directory beside its backup. The
    /// backup is whole, so it comes back; what is missing is then noticed as ever (§2.5).
    pub(crate) fn recover(&self) -> Result<(), HostError> {
        for directory in StoreDirectory::ALL {
            if self.root.entry(&backup(directory))? == Entry::Directory {
                self.put_back(directory)?;
                self.make_bundle(directory)?;
                self.rehash(directory)?;
            }
        }
        Ok(())
    }

    /// Gives a new host its first files, of which nobody needs to be told.
    pub(crate) fn establish(
        &self,
        directory: StoreDirectory,
        files: &Files,
    ) -> Result<(), HostError> {
        for (name, content) in files {
            let path = directory.file(name);
            if !self.root.exists(&path)? {
                self.root.write(&path, content, 0o644)?;
            }
        }
        self.make_bundle(directory)?;
        self.rehash(directory)
    }

    /// Adds a certificate file, renews the bundle and the links. Says whether the name was free; if
    /// not, nothing is done.
    pub(crate) fn add(
        &self,
        directory: StoreDirectory,
        name: &str,
        content: &[u8],
        trail: &Trail,
    ) -> Result<bool, HostError> {
        let path = directory.file(name);
        if self.root.exists(&path)? {
            return Ok(false);
        }
        self.root.create_directory(&directory.path(), 0o700)?;
        self.root.write(&path, content, 0o644)?;
        changed(trail, &path, FileChange::Written);
        self.renew_bundle(directory, trail)?;
        self.rehash(directory)?;
        Ok(true)
    }

    /// Removes a certificate file, which may be absent, and renews the bundle and the links.
    pub(crate) fn remove(
        &self,
        directory: StoreDirectory,
        name: &str,
        trail: &Trail,
    ) -> Result<(), HostError> {
        let path = directory.file(name);
        if self.root.remove(&path)? {
            changed(trail, &path, FileChange::Removed);
        }
        self.renew_bundle(directory, trail)?;
        self.rehash(directory)
    }

    /// Makes the bundle of a directory from its files, the freshly rotated ones (`*.new.pem`)
    /// first, each group in the order of names. A bundle of nothing does not exist.
    pub(crate) fn renew_bundle(
        &self,
        directory: StoreDirectory,
        trail: &Trail,
    ) -> Result<(), HostError> {
        if let (Some(bundle), Some(change)) = (directory.bundle(), self.make_bundle(directory)?) {
            changed(trail, &bundle, change);
        }
        Ok(())
    }

    /// Renews every bundle.
    pub(crate) fn renew_bundles(&self, trail: &Trail) -> Result<(), HostError> {
        StoreDirectory::ALL
            .into_iter()
            .try_for_each(|directory| self.renew_bundle(directory, trail))
    }

    /// Removes bundles of zero bytes.
    pub(crate) fn drop_empty_bundles(&self, trail: &Trail) -> Result<(), HostError> {
        for bundle in StoreDirectory::ALL.into_iter().filter_map(StoreDirectory::bundle) {
            let is_file = self.root.entry(&bundle)? == Entry::File;
            if is_file && self.root.read(&bundle)?.is_empty() && self.root.remove(&bundle)? {
                changed(trail, &bundle, FileChange::Removed);
            }
        }
        Ok(())
    }

    /// Makes the hash links of every directory anew.
    pub(crate) fn rehash_all(&self) -> Result<(), HostError> {
        StoreDirectory::ALL.into_iter().try_for_each(|directory| self.rehash(directory))
    }

    /// Names of the regular files of a directory: links do not count.
    pub(crate) fn names(&self, directory: StoreDirectory) -> Result<Vec<String>, HostError> {
        let path = directory.path();
        let links = self.root.links(&path)?;
        let mut names = self.root.list(&path)?;
        names.retain(|name| !links.contains_key(name));
        let mut files = Vec::new();
        for name in names {
            if self.root.entry(&directory.file(&name))? == Entry::File {
                files.push(name);
            }
        }
        Ok(files)
    }

    /// The certificates and lists of a directory that go to members: its regular files, `*.pem` as
    /// their names are. One that is freshly rotated is its host's own affair until it has taken the
    /// place of the former.
    pub(crate) fn files(&self, directory: StoreDirectory) -> Result<Files, HostError> {
        let mut names = self.names(directory)?;
        names.retain(|name| name.ends_with(".pem") && !name.ends_with(".new.pem"));
        let mut files = Files::new();
        for name in names {
            // Another call may have removed it since.
            if let Some(content) = self.root.read_if_present(&directory.file(&name))? {
                files.insert(name, content);
            }
        }
        Ok(files)
    }

    /// Whether a directory has something of this name.
    pub(crate) fn has(&self, directory: StoreDirectory, name: &str) -> Result<bool, HostError> {
        self.root.exists(&directory.file(name))
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
        self.root.create_directory(&path, 0o700)?;
        self.root.remove_directory(&backup(directory))?;
        self.root.rename(&path, &backup(directory))?;
        let written = self.root.create_directory(&path, 0o700).and_then(|()| {
            files.iter().try_for_each(|(name, content)| {
                self.root.write(&directory.file(name), content, 0o644)
            })
        });
        if let Err(error) = written {
            self.put_back(directory)?;
            return Err(error);
        }
        self.root.remove_directory(&backup(directory))?;
        for name in former.keys().filter(|name| !files.contains_key(*name)) {
            changed(trail, &directory.file(name), FileChange::Removed);
        }
        for (name, content) in files {
            if former.get(name) != Some(content) {
                changed(trail, &directory.file(name), FileChange::Written);
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

    /// The steps of §2.2. Says what became of the bundle; a directory of revocation lists has none.
    fn make_bundle(&self, directory: StoreDirectory) -> Result<Option<FileChange>, HostError> {
        let Some(bundle) = directory.bundle() else { return Ok(None) };
        let _one_at_a_time = self.bundling.lock().unwrap_or_else(PoisonError::into_inner);
        self.root.create_directory(&directory.path(), 0o700)?;
        let mut names = self.root.list(&directory.path())?;
        names.retain(|name| name.ends_with(".pem"));
        names.sort_by_key(|name| !name.ends_with(".new.pem"));
        let mut content = Vec::new();
        for name in names {
            let path = directory.file(&name);
            if self.root.entry(&path)? == Entry::File
                && let Some(text) = self.root.read_if_present(&path)?
            {
                content.extend(text);
                content.push(b'\n');
            }
        }
        let former = self.root.entry(&bundle)?;
        if former == Entry::Missing && content.is_empty()
            || former == Entry::File && self.root.read(&bundle)? == content && !content.is_empty()
        {
            return Ok(None);
        }
        let temporary = format!("{bundle}.tmp");
        self.root.write(&temporary, &content, 0o644)?;
        self.root.rename(&temporary, &bundle)?;
        if content.is_empty() {
            self.root.remove(&bundle)?;
            return Ok(Some(FileChange::Removed));
        }
        Ok(Some(FileChange::Written))
    }

    fn rehash(&self, directory: StoreDirectory) -> Result<(), HostError> {
        let _one_at_a_time = self.bundling.lock().unwrap_or_else(PoisonError::into_inner);
        hash_links::rehash(&self.root, &directory.path())
    }

    /// Makes the backup the directory again.
    fn put_back(&self, directory: StoreDirectory) -> Result<(), HostError> {
        self.root.remove_directory(&directory.path())?;
        self.root.rename(&backup(directory), &directory.path())
    }
}

fn backup(directory: StoreDirectory) -> String {
    format!("{}.bk", directory.path())
}

fn changed(trail: &Trail, path: &str, change: FileChange) {
    trail.record(TrustStoreChanged { path: path.to_owned(), change });
}

#[cfg(test)]
mod tests;
