//! The file system of a simulated host: a directory that stands for `/`.
//!
//! Paths are written as the host knows them (`/etc/samba/smb.conf`). No path leads out of the
//! directory, neither by `..` nor by a symbolic link. Writes are atomic: a reader, or a restart
//! after a crash, finds the old content or the new. The new content is written beside the old under
//! a name that nobody is shown, and takes its place by a rename.
//!
//! The crash that is meant is the death of the process at any byte. Files are not forced to the disk:
//! nothing here has to outlive a power failure, and it would make a scenario several times as slow
//! (9 ms for each of its many writes, against 1 ms).

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write as _,
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::HostError;

/// How the name of a file ends that is being written.
const WRITING: &str = ".writing~";

/// The root directory of one host. Clones name the same directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRoot {
    directory: Arc<Path>,
}

/// What is found at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// Nothing.
    Missing,
}

impl HostRoot {
    /// Uses `directory` as a root and creates it if it is absent.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, HostError> {
        let directory = directory.as_ref();
        let failed = |action| {
            let path = directory.display().to_string();
            move |source| HostError::Io { action, path, source }
        };
        fs::create_dir_all(directory).map_err(failed("create the root directory"))?;
        let directory =
            directory.canonicalize().map_err(failed("resolve the root directory"))?.into();
        Ok(Self { directory })
    }

    /// The directory that stands for `/`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where `path` really is. The file need not exist.
    pub fn real_path(&self, path: &str) -> Result<PathBuf, HostError> {
        let wrong = || HostError::Path { path: path.to_owned() };
        if !path.starts_with('/') {
            return Err(wrong());
        }
        if *self.directory == *Path::new("/") {
            // The machine itself: nothing is outside.
            return Ok(PathBuf::from(path));
        }
        let mut real = self.directory.to_path_buf();
        for component in Path::new(path).components() {
            match component {
                Component::Normal(name) => real.push(name),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => return Err(wrong()),
            }
        }
        self.check_links(path, &real)?;
        Ok(real)
    }

    /// What is at `path`. A path below a file is missing.
    pub fn entry(&self, path: &str) -> Result<Entry, HostError> {
        match fs::metadata(self.real_path(path)?) {
            Ok(metadata) if metadata.is_dir() => Ok(Entry::Directory),
            Ok(_) => Ok(Entry::File),
            Err(error) if is_absence(&error) => Ok(Entry::Missing),
            Err(source) => Err(io_error("look at", path)(source)),
        }
    }

    /// Whether something is at `path`.
    pub fn exists(&self, path: &str) -> Result<bool, HostError> {
        Ok(self.entry(path)? != Entry::Missing)
    }

    /// The content of a file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, HostError> {
        fs::read(self.real_path(path)?).map_err(io_error("read", path))
    }

    /// The content of a file; `None` if there is none.
    pub fn read_if_present(&self, path: &str) -> Result<Option<Vec<u8>>, HostError> {
        match fs::read(self.real_path(path)?) {
            Ok(content) => Ok(Some(content)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(source) => Err(io_error("read", path)(source)),
        }
    }

    /// The content of a file as text; bytes that are no UTF-8 are replaced.
    pub fn read_text_if_present(&self, path: &str) -> Result<Option<String>, HostError> {
        let content = self.read_if_present(path)?;
        Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The names in a directory, sorted; none if it is absent.
    pub fn list(&self, path: &str) -> Result<Vec<String>, HostError> {
        let entries = match fs::read_dir(self.real_path(path)?) {
            Ok(entries) => entries,
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            Err(source) => return Err(io_error("list", path)(source)),
        };
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(io_error("list", path))?;
        names.retain(|name| !name.ends_with(WRITING));
        names.sort();
        Ok(names)
    }

    /// Writes a file as a whole, atomically, with permission bits `mode`. Missing parent
    /// directories are created.
    pub fn write(&self, path: &str, content: &[u8], mode: u32) -> Result<(), HostError> {
        let real = self.real_path(path)?;
        let failed = |source| io_error("write", path)(source);
        let parent = real.parent().filter(|parent| parent.starts_with(&self.directory));
        let parent = parent.ok_or_else(|| HostError::Path { path: path.to_owned() })?;
        let mut name = real.file_name().unwrap_or_default().to_owned();
        // Two who write one file at a time must not write into one another.
        static WRITES: AtomicU64 = AtomicU64::new(0);
        name.push(format!(".{}{WRITING}", WRITES.fetch_add(1, Ordering::Relaxed)));
        let temporary = parent.join(name);
        let created = match fs::File::create(&temporary) {
            // Most directories are there.
            Err(error) if is_absence(&error) => {
                fs::create_dir_all(parent).and_then(|()| fs::File::create(&temporary))
            }
            created => created,
        };
        let written = created
            .and_then(|file| fill(file, content, mode))
            .and_then(|()| fs::rename(&temporary, &real));
        if written.is_err() {
            // Best effort: the failure that is reported is the one of the write.
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(failed)
    }

    /// Removes what writes have left that a crash cut off. Nobody may be writing.
    pub fn remove_unfinished(&self) -> Result<(), HostError> {
        if *self.directory == *Path::new("/") {
            // The machine itself is not searched.
            return Ok(());
        }
        let failed = |source| io_error("clear", "/")(source);
        let mut directories = vec![self.directory.to_path_buf()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                // Links are not followed.
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(WRITING) {
                    fs::remove_file(entry.path()).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// Creates a directory and its parents; `mode` is for the directory itself. An existing one
    /// stays as it is.
    pub fn create_directory(&self, path: &str, mode: u32) -> Result<(), HostError> {
        let real = self.real_path(path)?;
        if real.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&real)
            .and_then(|()| set_mode(&real, mode))
            .map_err(io_error("create", path))
    }

    /// The permission bits of a file or directory.
    pub fn mode(&self, path: &str) -> Result<u32, HostError> {
        use std::os::unix::fs::PermissionsExt as _;

        let metadata = fs::metadata(self.real_path(path)?).map_err(io_error("look at", path))?;
        Ok(metadata.permissions().mode() & 0o7777)
    }

    /// Changes the permission bits of a file or directory.
    pub fn set_mode(&self, path: &str, mode: u32) -> Result<(), HostError> {
        set_mode(&self.real_path(path)?, mode).map_err(io_error("change the mode of", path))
    }

    /// Moves a file or directory over another name, atomically.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), HostError> {
        let (source, target) = (self.real_path(from)?, self.real_path(to)?);
        fs::rename(source, target).map_err(io_error("rename", from))
    }

    /// Removes a file. Says whether there was one.
    pub fn remove(&self, path: &str) -> Result<bool, HostError> {
        absent_is_false(fs::remove_file(self.real_path(path)?)).map_err(io_error("remove", path))
    }

    /// The symbolic links in a directory and where they lead, by name; none if it is absent.
    pub fn links(&self, path: &str) -> Result<BTreeMap<String, PathBuf>, HostError> {
        let real = self.real_path(path)?;
        let names = self.list(path)?.into_iter();
        Ok(names
            .filter_map(|name| Some((fs::read_link(real.join(&name)).ok()?, name)))
            .map(|(target, name)| (name, target))
            .collect())
    }

    /// Makes a symbolic link to a name of the same directory. Another link of that name is replaced.
    pub fn link(&self, directory: &str, name: &str, target: &str) -> Result<(), HostError> {
        self.unlink(directory, name)?;
        let link = self.real_path(directory)?.join(plain(name)?);
        std::os::unix::fs::symlink(plain(target)?, link).map_err(io_error("link", name))
    }

    /// Removes a symbolic link itself, wherever it leads. What is no link stays.
    pub fn unlink(&self, directory: &str, name: &str) -> Result<(), HostError> {
        let link = self.real_path(directory)?.join(plain(name)?);
        match link.is_symlink() {
            true => fs::remove_file(link).map_err(io_error("remove", name)),
            false => Ok(()),
        }
    }

    /// Removes a directory with all that is in it. Says whether there was one.
    pub fn remove_directory(&self, path: &str) -> Result<bool, HostError> {
        let real = self.real_path(path)?;
        if real == *self.directory {
            return Err(HostError::Path { path: path.to_owned() });
        }
        absent_is_false(fs::remove_dir_all(real)).map_err(io_error("remove", path))
    }

    /// The deepest part that exists must, with all links followed, still be inside.
    fn check_links(&self, path: &str, real: &Path) -> Result<(), HostError> {
        if meets_no_link(real) {
            return Ok(());
        }
        let existing = real.ancestors().find(|part| fs::symlink_metadata(part).is_ok());
        let Some(existing) = existing else { return Ok(()) };
        match existing.canonicalize() {
            Ok(target) if target.starts_with(&self.directory) => Ok(()),
            Ok(target) => Err(HostError::Escape { path: path.to_owned(), target }),
            // A dangling link: where it would lead is unknown, so nothing is created through it.
            Err(_) => Err(HostError::Escape {
                path: path.to_owned(),
                target: fs::read_link(existing).unwrap_or_else(|_| existing.to_path_buf()),
            }),
        }
    }
}

/// Whether there is no symbolic link on the way to `real`, as far as that exists. Asked of the system
/// at once: to follow a path name by name makes a call for each, and paths are most of what a host does.
#[cfg(target_os = "linux")]
fn meets_no_link(real: &Path) -> bool {
    use rustix::{
        fs::{CWD, Mode, OFlags, ResolveFlags, openat2},
        io::Errno,
    };

    let way = OFlags::PATH | OFlags::CLOEXEC;
    match openat2(CWD, real, way, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => true,
        // A link, or a system that does not answer the question.
        Err(_) => false,
    }
}

#[cfg(not(target_os = "linux"))]
fn meets_no_link(_real: &Path) -> bool {
    false
}

/// A name that leads nowhere else.
fn plain(name: &str) -> Result<&str, HostError> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(_)), None) => Ok(name),
        _ => Err(HostError::Path { path: name.to_owned() }),
    }
}

#[cfg(unix)]
fn fill(mut file: fs::File, content: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    file.write_all(content)?;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn fill(mut file: fs::File, content: &[u8], _mode: u32) -> io::Result<()> {
    file.write_all(content)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn absent_is_false(outcome: io::Result<()>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn io_error(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> HostError {
    move |source| HostError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, HostRoot) {
        let directory = tempfile::tempdir().unwrap();
        let root = HostRoot::open(directory.path()).unwrap();
        (directory, root)
    }

    #[test]
    fn files_live_below_the_root() {
        let (directory, root) = root();
        root.write("/etc/samba/smb.conf", b"[global]\n", 0o644).unwrap();
        assert_eq!(fs::read(directory.path().join("etc/samba/smb.conf")).unwrap(), b"[global]\n");
        assert_eq!(root.read("/etc/samba/smb.conf").unwrap(), b"[global]\n");
        assert_eq!(root.list("/etc/samba").unwrap(), ["smb.conf"]);
        assert_eq!(root.entry("/etc/samba").unwrap(), Entry::Directory);
        assert_eq!(root.entry("/etc/samba/smb.conf/x").unwrap(), Entry::Missing);
        assert!(root.remove("/etc/samba/smb.conf").unwrap());
        assert!(!root.remove("/etc/samba/smb.conf").unwrap());
        assert_eq!(root.read_if_present("/etc/samba/smb.conf").unwrap(), None);
    }

    #[test]
    fn unfinished_writes_are_not_shown_and_go() {
        let (directory, root) = root();
        root.write("/certs/a.pem", b"x", 0o644).unwrap();
        let left = directory.path().join(format!("certs/a.pem.7{WRITING}"));
        fs::write(&left, b"half").unwrap();
        assert_eq!(root.list("/certs").unwrap(), ["a.pem"]);
        root.remove_unfinished().unwrap();
        assert!(!left.exists());
        assert_eq!(root.read("/certs/a.pem").unwrap(), b"x");
        let refused = root.write("/certs", b"x", 0o644).unwrap_err();
        assert!(refused.to_string().starts_with("cannot write `/certs`: "), "{refused}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn nothing_leads_out() {
        let (_directory, root) = root();
        for path in ["/../x", "/etc/../../x", "etc/hosts", ""] {
            assert!(matches!(root.read(path), Err(HostError::Path { .. })), "{path}");
        }
        assert!(matches!(root.write("/", b"", 0o644), Err(HostError::Path { .. })));
        assert!(matches!(root.remove_directory("/"), Err(HostError::Path { .. })));
    }

    #[test]
    fn the_machine_itself_has_no_outside() {
        let (directory, _) = root();
        fs::write(directory.path().join("file"), b"x").unwrap();
        let machine = HostRoot::open("/").unwrap();
        let path = format!("{}/none/../file", directory.path().display());
        assert!(machine.read(&path).unwrap_err().is_not_found());
        assert_eq!(machine.read(&path.replace("none/../", "./")).unwrap(), b"x");
        assert!(matches!(machine.read("file"), Err(HostError::Path { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_refused() {
        let (directory, root) = root();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), directory.path().join("out")).unwrap();
        std::os::unix::fs::symlink("/nowhere/x", directory.path().join("dangling")).unwrap();
        root.create_directory("/in", 0o700).unwrap();
        std::os::unix::fs::symlink(root.directory().join("in"), directory.path().join("link"))
            .unwrap();
        for path in ["/out/file", "/out", "/dangling"] {
            let refused = root.write(path, b"x", 0o644);
            assert!(matches!(refused, Err(HostError::Escape { .. })), "{path}: {refused:?}");
        }
        root.write("/link/file", b"x", 0o600).unwrap();
        assert_eq!(root.read("/in/file").unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_neighbours() {
        let (_directory, root) = root();
        root.write("/certs/a.pem", b"x", 0o644).unwrap();
        root.link("/certs", "1234.0", "a.pem").unwrap();
        root.link("/certs", "dangling", "b.pem").unwrap();
        assert_eq!(root.read("/certs/1234.0").unwrap(), b"x");
        let links = root.links("/certs").unwrap();
        assert_eq!(links.keys().collect::<Vec<_>>(), ["1234.0", "dangling"]);
        assert!(matches!(root.link("/certs", "x", "../etc"), Err(HostError::Path { .. })));
        for name in ["dangling", "1234.0", "a.pem", "none"] {
            root.unlink("/certs", name).unwrap();
        }
        assert_eq!(root.list("/certs").unwrap(), ["a.pem"]);
        assert!(root.links("/none").unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_path() {
        let (_directory, root) = root();
        let error = root.read("/etc/hosts").unwrap_err();
        assert!(error.is_not_found());
        assert!(error.to_string().starts_with("cannot read `/etc/hosts`: "), "{error}");
    }
}
