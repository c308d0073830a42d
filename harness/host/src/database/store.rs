//! The file of the database and the one way to change it.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use ground::{Seed, Trail};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{HostError, HostRoot, Records, Reference, database::differences};

/// Path of the file on the coordinator.
const PATH: &str = "/var/lib/xcp/state.json";

/// Version of the file's format.
const VERSION: u32 = 2;

/// The database of a pool. Every change is on disk before it is seen; a crash leaves the old file
/// or the new.
#[derive(Debug)]
pub(crate) struct Database {
    root: HostRoot,
    seed: Seed,
    data: Mutex<Records>,
    /// Whether the pool has ended.
    closed: AtomicBool,
}

#[derive(Serialize)]
struct FileToWrite<'a> {
    version: u32,
    data: &'a Records,
}

/// Read first: what else is in the file of another version is not to be judged.
#[derive(Deserialize)]
struct VersionOfFile {
    version: u32,
}

#[derive(Deserialize)]
struct FileToRead {
    data: Records,
}

impl Database {
    /// Writes the first content.
    pub(crate) fn create(root: HostRoot, seed: Seed, data: Records) -> Result<Self, HostError> {
        write(&root, &data)?;
        Ok(Self { root, seed, data: Mutex::new(data), closed: AtomicBool::new(false) })
    }

    /// Reads the file of an existing pool; `None` if there is none.
    pub(crate) fn load(root: HostRoot, seed: Seed) -> Result<Option<Self>, HostError> {
        let Some(data) = read(&root)? else { return Ok(None) };
        Ok(Some(Self { root, seed, data: Mutex::new(data), closed: AtomicBool::new(false) }))
    }

    /// Forgets what is in memory and reads the file again.
    pub(crate) fn reload(&self) -> Result<(), HostError> {
        let mut data = self.lock();
        *data = self.on_disk()?;
        Ok(())
    }

    /// The pool has ended: the file goes, and nothing changes any more.
    pub(crate) fn close(&self) -> Result<(), HostError> {
        let _data = self.lock();
        self.closed.store(true, Ordering::SeqCst);
        self.root.remove(PATH).map(|_| ())
    }

    /// What the file says.
    pub(crate) fn on_disk(&self) -> Result<Records, HostError> {
        let missing =
            || HostError::Database { path: PATH, cause: "the file is missing".to_owned() };
        read(&self.root)?.ok_or_else(missing)
    }

    /// A copy of everything.
    pub(crate) fn snapshot(&self) -> Records {
        self.lock().clone()
    }

    /// Looks at the data.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Records) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the data, writes the file and records every difference on `trail`. If the file
    /// cannot be written nothing has changed.
    pub(crate) fn change<T>(
        &self,
        trail: &Trail,
        change: impl FnOnce(&mut Draft) -> T,
    ) -> Result<T, HostError> {
        let mut data = self.lock();
        let mut draft = Draft { records: data.clone(), seed: self.seed };
        let result = change(&mut draft);
        if draft.records == *data {
            return Ok(result);
        }
        if self.closed.load(Ordering::SeqCst) {
            return Err(HostError::PoolEnded);
        }
        write(&self.root, &draft.records)?;
        differences::record(&data, &draft.records, trail);
        *data = draft.records;
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        // The data is replaced as a whole, so it is sound even after a panic.
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The data while it is being changed.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) records: Records,
    seed: Seed,
}

impl Draft {
    /// Identity of a new record.
    pub(crate) fn identity(&mut self) -> (Reference, Uuid) {
        self.records.created += 1;
        let number = self.records.created;
        let reference = self.seed.uuid(&format!("reference {number}"));
        (reference.into(), self.seed.uuid(&format!("uuid {number}")))
    }
}

fn write(root: &HostRoot, data: &Records) -> Result<(), HostError> {
    let mut text = serde_json::to_string_pretty(&FileToWrite { version: VERSION, data })
        .map_err(|error| HostError::Database { path: PATH, cause: error.to_string() })?;
    text.push('\n');
    root.write(PATH, text.as_bytes(), 0o600)
}

fn read(root: &HostRoot) -> Result<Option<Records>, HostError> {
    let Some(bytes) = root.read_if_present(PATH)? else { return Ok(None) };
    let broken =
        |error: serde_json::Error| HostError::Database { path: PATH, cause: error.to_string() };
    let VersionOfFile { version } = serde_json::from_slice(&bytes).map_err(broken)?;
    if version != VERSION {
        return Err(HostError::DatabaseVersion { path: PATH, expected: VERSION, found: version });
    }
    // From the text, not from a tree made of it, so that a mistake has its line and column.
    serde_json::from_slice(&bytes).map(|file: FileToRead| Some(file.data)).map_err(broken)
}
