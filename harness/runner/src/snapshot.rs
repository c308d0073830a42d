//! Accepted snapshots of host files, kept beside the scenario in insta's `.snap` format.
//!
//! A run compares; it never changes an accepted snapshot. What differs is proposed as a
//! `.snap.new` file next to it (or, in check mode, only reported), and a person accepts it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use similar::TextDiff;

/// What a run may do about a snapshot that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotMode {
    /// Report only; never write. For CI.
    Check,
    /// Report, and write the new text as a `.snap.new` file for review.
    Propose,
}

/// The snapshots of one scenario in one profile.
#[derive(Debug)]
pub(crate) struct Snapshots {
    folder: PathBuf,
    mode: SnapshotMode,
    referenced: BTreeSet<PathBuf>,
}

/// Why a snapshot does not hold.
#[derive(Debug)]
pub(crate) enum Mismatch {
    /// The text differs from the accepted one.
    Changed { path: PathBuf, diff: String },
    /// Nothing has been accepted yet.
    New { path: PathBuf, diff: String },
    /// The accepted file or the proposal cannot be read or written.
    Unusable { path: PathBuf, error: io::Error },
}

impl Snapshots {
    /// Snapshots in `folder`, which need not exist yet.
    pub(crate) fn new(folder: PathBuf, mode: SnapshotMode) -> Self {
        Self { folder, mode, referenced: BTreeSet::new() }
    }

    /// Compares `text`, the file `file` of `host` after step `step`, with what was accepted.
    pub(crate) fn compare(
        &mut self,
        step: &str,
        host: &str,
        file: &str,
        text: &str,
    ) -> Result<(), Mismatch> {
        let name = format!("{}.{host}.{}.snap", slug(step), slug(file));
        let path = self.folder.join(name);
        self.referenced.insert(path.clone());
        let accepted = match fs::read_to_string(&path) {
            Ok(content) => Some(body(&content).to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Mismatch::Unusable { path, error }),
        };
        if accepted.as_deref() == Some(text) {
            return Ok(());
        }
        if self.mode == SnapshotMode::Propose {
            let content =
                format!("---\nsource: {host}:{file}\ndescription: after {step}\n---\n{text}");
            if let Err(error) = write_whole(&pending_path(&path), &content) {
                return Err(Mismatch::Unusable { path, error });
            }
        }
        let diff = diff(accepted.as_deref().unwrap_or(""), text, "accepted", "now");
        Err(match accepted {
            Some(_) => Mismatch::Changed { path, diff },
            None => Mismatch::New { path, diff },
        })
    }

    /// Accepted snapshots of this folder that no [`Snapshots::compare`] asked for.
    pub(crate) fn unreferenced(&self) -> Vec<PathBuf> {
        let mut stale: Vec<PathBuf> = files_of(&self.folder)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "snap"))
            .filter(|path| !self.referenced.contains(path))
            .collect();
        stale.sort();
        stale
    }
}

/// A changed snapshot that waits for a person.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The accepted file, which may not exist yet.
    pub accepted: PathBuf,
    /// The proposal beside it.
    pub proposed: PathBuf,
}

impl Pending {
    /// All proposals below `root`, in order of their names.
    pub fn find(root: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in files_of(&folder) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_string_lossy().ends_with(".snap.new") {
                    found.push(Self { accepted: path.with_extension(""), proposed: path });
                }
            }
        }
        found.sort_by(|a, b| a.accepted.cmp(&b.accepted));
        found
    }

    /// The difference between what is accepted and what is proposed.
    ///
    /// # Errors
    ///
    /// When one of the two cannot be read.
    pub fn diff(&self) -> io::Result<String> {
        let accepted = match fs::read_to_string(&self.accepted) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let proposed = fs::read_to_string(&self.proposed)?;
        Ok(diff(body(&accepted), body(&proposed), "accepted", "proposed"))
    }

    /// Makes the proposal the accepted snapshot.
    ///
    /// # Errors
    ///
    /// When the file cannot be moved; then nothing has changed.
    pub fn accept(&self) -> io::Result<()> {
        fs::rename(&self.proposed, &self.accepted)
    }

    /// Throws the proposal away.
    ///
    /// # Errors
    ///
    /// When the file cannot be removed.
    pub fn reject(&self) -> io::Result<()> {
        fs::remove_file(&self.proposed)
    }
}

/// A unified diff, or an empty text if both are equal.
pub(crate) fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(2)
        .header(old_name, new_name)
        .to_string()
}

fn pending_path(accepted: &Path) -> PathBuf {
    let mut name = accepted.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// The text below insta's header.
fn body(content: &str) -> &str {
    let Some(rest) = content.strip_prefix("---\n") else { return content };
    rest.split_once("\n---\n").map_or(content, |(_, body)| body)
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(file.path(), content)?;
    file.persist(path)?;
    Ok(())
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        let kept = character.is_ascii_alphanumeric() || character == '.';
        match kept {
            true => slug.push(character.to_ascii_lowercase()),
            false if slug.is_empty() || slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshots(folder: &Path, mode: SnapshotMode) -> Snapshots {
        Snapshots::new(folder.join("landed"), mode)
    }

    #[test]
    fn checking_never_writes() {
        let folder = tempfile::tempdir().unwrap();
        let mut checked = snapshots(folder.path(), SnapshotMode::Check);
        let outcome = checked.compare("enable AD", "host1", "/etc/samba/smb.conf", "a\n");
        assert!(matches!(outcome, Err(Mismatch::New { .. })));
        assert!(files_of(folder.path()).is_empty());
    }

    #[test]
    fn a_proposal_holds_once_accepted_and_differs_visibly_before() {
        let folder = tempfile::tempdir().unwrap();
        let compare = |text: &str| {
            snapshots(folder.path(), SnapshotMode::Propose).compare("s", "host1", "/f", text)
        };
        assert!(compare("a\nb\n").is_err());
        let pending = Pending::find(folder.path());
        assert_eq!(pending.len(), 1);
        assert!(pending[0].diff().unwrap().contains("+b"));
        pending[0].accept().unwrap();
        assert!(compare("a\nb\n").is_ok());

        let Err(Mismatch::Changed { diff, .. }) = compare("a\nc\n") else { panic!("must differ") };
        assert!(diff.contains("-b\n+c\n"), "{diff}");
        // What was accepted is still there.
        assert!(compare("a\nb\n").is_ok());
    }

    #[test]
    fn snapshots_that_no_step_asks_for_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = snapshots(folder.path(), SnapshotMode::Propose);
        assert!(first.compare("old step", "host1", "/f", "a").is_err());
        Pending::find(folder.path())[0].accept().unwrap();
        assert!(first.unreferenced().is_empty());
        let later = snapshots(folder.path(), SnapshotMode::Check);
        assert_eq!(later.unreferenced(), [folder.path().join("landed/old-step.host1.f.snap")]);
    }

    #[test]
    fn a_missing_final_line_feed_is_a_difference() {
        let folder = tempfile::tempdir().unwrap();
        let compare = |text: &str| {
            snapshots(folder.path(), SnapshotMode::Propose).compare("s", "host1", "/f", text)
        };
        assert!(compare("a\n").is_err());
        Pending::find(folder.path())[0].accept().unwrap();
        assert!(compare("a").is_err());
    }
}
