//! The servers that have been accepted permanently: `server/trusted.pem`.
//!
//! The file is PEM. Before each certificate stands a line `Host: NAME` (RFC 7468, section 2, lets
//! text stand there), so that a certificate that has changed can be told from a server that is new.
//! A certificate without such a line, put there by hand, is trusted for whichever host shows it.
//!
//! Several applications may share the file. Whoever writes takes the lock of the file beside it
//! (`trusted.pem.lock`), reads what is there now, writes all of it with its own entry to
//! `trusted.pem.new`, and renames that. So readers need no lock, and a process that dies leaves the
//! old list or the new one. The lock dies with the process that holds it.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use rustls::pki_types::CertificateDer;

use super::{
    data::{self, DataKind, Origin},
    error::{DataCause, DataError, StoreError},
    judgement::fingerprint,
    pem,
};

/// How long somebody else may hold the lock of the file, in real time.
const LOCK_LIMIT: Duration = Duration::from_secs(30);
/// How long until the lock is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// A certificate that is trusted, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Any host, if there is none.
    host: Option<String>,
    der: Vec<u8>,
}

impl Entry {
    /// The certificate behind some text.
    pub(super) fn read(before: &str, der: Vec<u8>) -> Self {
        let named = before.lines().rev().find_map(|line| line.strip_prefix(HOST));
        Self { host: named.map(|host| host.trim().to_owned()), der }
    }

    fn is_for(&self, host: &str) -> bool {
        self.host.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(host))
    }
}

const HOST: &str = "Host:";

/// What is known of a server before it shows its certificate, compared with what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// It is trusted with another certificate.
    Changed {
        /// SHA-256 fingerprints of those that it was trusted with.
        before: Vec<String>,
    },
    /// Nobody has accepted it permanently.
    New,
    /// It is trusted with this very certificate.
    Trusted,
}

impl Known {
    /// Its name in events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::New => "new",
            Self::Trusted => "trusted",
        }
    }
}

/// Certificates of trusted servers: those from memory, and those of a file, read anew for each
/// connection.
#[derive(Clone, Debug, Default)]
pub struct TrustedServers {
    from_memory: Vec<Entry>,
    file: Option<ListFile>,
}

/// Where a list is, and what it is called in words.
#[derive(Clone, Debug)]
struct ListFile {
    path: PathBuf,
    called: PathBuf,
}

impl TrustedServers {
    /// Those of a file, which need not be there yet.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file = ListFile { called: path.clone(), path };
        Self { from_memory: Vec::new(), file: Some(file) }
    }

    /// Without those from memory.
    pub(super) fn of_file_alone(&self) -> Self {
        Self { from_memory: Vec::new(), file: self.file.clone() }
    }

    /// Trusts `host` with `certificate` from now on, in place of all that it was trusted with.
    ///
    /// # Errors
    ///
    /// What is in the file is damaged, or it cannot be written. It is as it was then.
    pub fn trust(
        &mut self,
        host: &str,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), StoreError> {
        if !is_host(host) {
            return Err(StoreError::Host(host.to_owned()));
        }
        if let Some(file) = &self.file {
            let entry = Entry { host: Some(host.to_owned()), der: certificate.to_vec() };
            file.write(&entry)?;
        }
        self.remember(host, certificate);
        Ok(())
    }

    /// Has the list in the file `path`, which is called `called` in words.
    pub(super) fn set_file(&mut self, path: &Path, called: &Path) {
        self.file = Some(ListFile { path: path.to_owned(), called: called.to_owned() });
    }

    pub(super) fn add(&mut self, entries: Vec<Entry>) {
        self.from_memory.extend(entries);
    }

    /// The file that permanent acceptances are written to, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// What is known of `host`, which shows `certificate`.
    pub(super) fn known(
        &self,
        host: &str,
        certificate: &CertificateDer<'_>,
    ) -> Result<Known, DataError> {
        let mut entries = self.from_memory.clone();
        entries.extend(self.entries_of_file()?);
        let same = |entry: &&Entry| entry.der == certificate.as_ref();
        let for_it = entries.iter().filter(|entry| entry.host.is_none() || entry.is_for(host));
        if for_it.clone().any(|entry| same(&entry)) {
            return Ok(Known::Trusted);
        }
        let before: Vec<_> = for_it
            .filter(|entry| entry.host.is_some())
            .map(|entry| fingerprint(&entry.der))
            .collect();
        Ok(if before.is_empty() { Known::New } else { Known::Changed { before } })
    }

    /// Trusts `host` with `certificate` from now on, in place of all that it was trusted with, as
    /// long as this list lasts.
    pub(super) fn remember(&mut self, host: &str, certificate: &CertificateDer<'_>) {
        self.from_memory.retain(|known| !known.is_for(host));
        if self.file.is_none() {
            let entry = Entry { host: Some(host.to_owned()), der: certificate.to_vec() };
            self.from_memory.push(entry);
        }
    }

    /// Those from memory, as text that can be kept and added again.
    pub fn to_pem(&self) -> String {
        self.from_memory.iter().map(text_of).collect()
    }

    fn entries_of_file(&self) -> Result<Vec<Entry>, DataError> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let text = file.read().map_err(|cause| file.damage(cause))?;
        data::trusted_entries(&text).map_err(|cause| file.damage(cause))
    }
}

/// Whether it can be the name of a host: one word, on one line.
pub(super) fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn text_of(entry: &Entry) -> String {
    let host = entry.host.iter().map(|host| format!("{HOST} {host}\n")).collect::<String>();
    host + &pem::encode("CERTIFICATE", &entry.der)
}

impl ListFile {
    /// Puts an entry in, in place of those of the same host. All else stays as it is, byte by byte, and so
    /// do the permissions of the file. Where it is a link, what it leads to is replaced.
    fn write(&self, entry: &Entry) -> Result<(), StoreError> {
        match fs::canonicalize(&self.path) {
            Ok(path) if path != self.path => {
                Self { path, called: self.called.clone() }.write_here(entry)
            }
            // It need not be there yet.
            _ => self.write_here(entry),
        }
    }

    fn write_here(&self, entry: &Entry) -> Result<(), StoreError> {
        let folder = Self { path: folder_of(&self.path), called: folder_of(&self.called) };
        fs::create_dir_all(&folder.path).map_err(folder.failed("make the folder"))?;
        let _lock = self.beside(".lock").lock()?;
        let text = self.read().map_err(|cause| self.damage(cause))?;
        let text = with(&text, entry).map_err(|cause| self.damage(cause))?;
        let new = self.beside(".new");
        // What somebody has left who died; it may be one that nobody can write to.
        new.remove()?;
        let replaced = new
            .fill(&text, fs::metadata(&self.path).ok())
            .and_then(|()| fs::rename(&new.path, &self.path).map_err(self.failed("replace")));
        if replaced.is_err() {
            // Why it was not replaced is what matters.
            let _ = new.remove();
        }
        replaced?;
        // The name, too.
        let folder_file = File::open(&folder.path);
        folder_file.and_then(|file| file.sync_all()).map_err(folder.failed("write"))
    }

    /// Makes the file, with that text and the permissions of the one that it is going to replace.
    fn fill(&self, text: &str, former: Option<Metadata>) -> Result<(), StoreError> {
        let mut file = File::create_new(&self.path).map_err(self.failed("create"))?;
        if let Some(former) = former {
            file.set_permissions(former.permissions()).map_err(self.failed("write"))?;
        }
        file.write_all(text.as_bytes()).map_err(self.failed("write"))?;
        file.sync_all().map_err(self.failed("write"))
    }

    fn remove(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove")(error))
            }
            _ => Ok(()),
        }
    }

    /// What is there; nothing if it is not there yet.
    fn read(&self) -> Result<String, DataCause> {
        match data::read(&self.path) {
            Err(DataCause::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {
                Ok(String::new())
            }
            read => read,
        }
    }

    /// Holds the lock of this file as long as what it returns.
    fn lock(&self) -> Result<File, StoreError> {
        // Whoever can read it can lock it: another user may have made it.
        let file = File::open(&self.path)
            .or_else(|_| OpenOptions::new().create(true).append(true).open(&self.path));
        let file = file.map_err(self.failed("open the lock"))?;
        let until = Instant::now() + LOCK_LIMIT;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file),
                Err(Errno::WOULDBLOCK) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
                Err(Errno::WOULDBLOCK) => {
                    let (path, limit) = (self.called.clone(), LOCK_LIMIT);
                    return Err(StoreError::Locked { path, limit });
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(self.failed("take the lock")(error.into())),
            }
        }
    }

    fn beside(&self, suffix: &str) -> Self {
        let beside = |path: &Path| {
            let mut name: OsString = path.into();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { path: beside(&self.path), called: beside(&self.called) }
    }

    fn damage(&self, cause: DataCause) -> DataError {
        let origin = Origin::File(self.called.clone());
        DataError { kind: DataKind::TrustedServers, origin, cause }
    }

    fn failed(&self, what: &'static str) -> impl FnOnce(io::Error) -> StoreError + use<> {
        let path = self.called.clone();
        move |source| StoreError::Write { what, path, source }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// `text` with `entry` at its end, and without other entries of its host.
fn with(text: &str, entry: &Entry) -> Result<String, DataCause> {
    let host = entry.host.as_deref().unwrap_or_default();
    // Whatever is damaged is told, and not written back as if it were sound.
    data::trusted_entries(text)?;
    let mut kept = String::with_capacity(text.len() + 4_096);
    let mut start = 0;
    let blocks = pem::blocks(text).unwrap_or_default();
    for block in &blocks {
        let der = block.der.clone().unwrap_or_default();
        if !Entry::read(block.before, der).is_for(host) {
            kept.push_str(&text[start..block.end]);
            if !kept.ends_with('\n') {
                kept.push('\n');
            }
        }
        start = block.end;
    }
    let rest = &text[start..];
    match data::trusted_entries(rest) {
        // Bare base64, which could not stand beside a block.
        Ok(bare) if blocks.is_empty() && !bare.is_empty() => kept.extend(bare.iter().map(text_of)),
        _ => kept.push_str(rest),
    }
    if !kept.is_empty() && !kept.ends_with('\n') {
        kept.push('\n');
    }
    kept.push_str(&text_of(entry));
    Ok(kept)
}
