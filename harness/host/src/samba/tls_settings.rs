//! What a client's configuration says about TLS, and the reading of the files it names.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use trust_verdict::{
    ClientConfig, FileContent, PemFile, TrustDirectory, TrustFiles, VerifyPeer, XAPI_PRIORITY,
};

use super::smb_conf::{Settings, Wrapping};
use crate::{HostError, HostRoot, root::is_absence};

/// Where the system keeps its CA bundle: Debian, then RHEL and XenServer. GnuTLS knows one of
/// them, fixed when it was built.
const SYSTEM_BUNDLES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The settings of smb.conf(5) of Samba 4.22 that decide about a server's certificate. Files are
/// named, not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// `tls verify peer`.
    pub mode: VerifyPeer,
    /// `tls cafile`.
    pub cafile: Option<TrustPath>,
    /// `tls ca directories`.
    pub ca_directories: Vec<TrustPath>,
    /// Where the system's bundle may be, if `tls trust system cas = yes`: the first file that
    /// exists counts.
    pub system_cas: Vec<TrustPath>,
    /// `tls crlfile`.
    pub crlfile: Option<TrustPath>,
    /// `tls priority`.
    pub priority: String,
    /// Whether `client ldap sasl wrapping` asks for TLS at all.
    pub uses_tls: bool,
    /// What Samba complains about when it reads the settings.
    pub warnings: Vec<String>,
}

impl TlsSettings {
    /// What xapi 26.16 writes, with nothing to trust.
    pub fn xapi() -> Self {
        Self {
            mode: VerifyPeer::CaAndNameIfAvailable,
            cafile: None,
            ca_directories: Vec::new(),
            system_cas: Vec::new(),
            crlfile: None,
            priority: XAPI_PRIORITY.to_owned(),
            uses_tls: true,
            warnings: Vec::new(),
        }
    }

    /// What the text of an smb.conf says, with Samba's defaults for the rest. The files it
    /// includes and names are those below `root`; a relative `include` is not followed.
    pub fn from_smb_conf(text: &str, root: &HostRoot) -> Result<Self, HostError> {
        Ok(Self::of(&Settings::parse(text, root)?, root))
    }

    pub(super) fn of(settings: &Settings, root: &HostRoot) -> Self {
        let path = |path: &String| TrustPath::of_host(path, root);
        let if_set = |text: &String| (!text.is_empty()).then(|| path(text));
        let bundles = SYSTEM_BUNDLES.iter().map(|path| TrustPath::of_host(*path, root));
        Self {
            mode: settings.verify_peer,
            cafile: if_set(&settings.cafile),
            ca_directories: settings.ca_directories.iter().map(path).collect(),
            system_cas: bundles.filter(|_| settings.trust_system_cas).collect(),
            crlfile: if_set(&settings.crlfile),
            priority: settings.priority.clone(),
            uses_tls: matches!(settings.wrapping, Wrapping::Ldaps | Wrapping::StartTls),
            warnings: settings.warnings.clone(),
        }
    }

    /// Reads the files. One that is there and cannot be read counts as missing, and the second
    /// value says why.
    pub fn read(&self) -> (ClientConfig, Vec<HostError>) {
        let mut reader = Reader::default();
        let trust = TrustFiles {
            cafile: self.cafile.as_ref().map(|path| reader.file(path)),
            ca_directories: self.ca_directories.iter().map(|path| reader.directory(path)).collect(),
            system_cas: reader.first_file(&self.system_cas),
            crlfile: self.crlfile.as_ref().map(|path| reader.file(path)),
        };
        let config = ClientConfig { mode: self.mode, trust, priority: self.priority.clone() };
        (config, reader.unreadable)
    }
}

/// A file or directory that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPath {
    /// The path as configured: Samba's messages repeat it.
    shown: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host(HostRoot),
    Machine(PathBuf),
}

impl TrustPath {
    /// A path as the host with this root knows it.
    pub fn of_host(path: impl Into<String>, root: &HostRoot) -> Self {
        Self { shown: path.into(), place: Place::Host(root.clone()) }
    }

    /// A path of this machine.
    pub fn of_machine(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { shown: path.display().to_string(), place: Place::Machine(path) }
    }

    fn real_path(&self) -> Result<PathBuf, HostError> {
        match &self.place {
            Place::Host(root) => root.real_path(&self.shown),
            Place::Machine(path) => Ok(path.clone()),
        }
    }

    fn read(&self) -> Result<FileContent, HostError> {
        content(&self.real_path()?).map_err(self.failed("read"))
    }

    /// What is in a directory, by name; nothing if there is no directory.
    fn list(&self) -> Result<Vec<(String, Self)>, HostError> {
        let path = self.real_path()?;
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("list")(error)),
        };
        let mut names = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(self.failed("list"))?;
        names.sort();
        let named = names.into_iter().map(|name| {
            let text = name.to_string_lossy().into_owned();
            let inside = Self {
                shown: format!("{}/{text}", self.shown.trim_end_matches('/')),
                place: match &self.place {
                    Place::Host(root) => Place::Host(root.clone()),
                    Place::Machine(_) => Place::Machine(path.join(name)),
                },
            };
            (text, inside)
        });
        Ok(named.collect())
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> HostError + use<> {
        let path = self.shown.clone();
        move |source| HostError::Io { action, path, source }
    }
}

/// Reads what it can and remembers what it could not.
#[derive(Debug, Default)]
struct Reader {
    unreadable: Vec<HostError>,
}

impl Reader {
    fn file(&mut self, path: &TrustPath) -> PemFile {
        let content = path.read().unwrap_or_else(|error| {
            self.unreadable.push(error);
            FileContent::Missing
        });
        PemFile { path: path.shown.clone(), content }
    }

    fn first_file(&mut self, paths: &[TrustPath]) -> Option<PemFile> {
        let mut files = paths.iter().map(|path| self.file(path));
        let first = files.find(|file| file.content != FileContent::Missing);
        first.or_else(|| paths.first().map(|path| PemFile::missing(&path.shown)))
    }

    fn directory(&mut self, path: &TrustPath) -> TrustDirectory {
        let listed = path.list().unwrap_or_else(|error| {
            self.unreadable.push(error);
            Vec::new()
        });
        let mut files = Vec::with_capacity(listed.len());
        for (name, path) in listed {
            if let FileContent::Bytes(bytes) = self.file(&path).content {
                files.push((name, bytes));
            }
        }
        TrustDirectory { path: path.shown.clone(), files }
    }
}

fn content(path: &Path) -> io::Result<FileContent> {
    let read = || {
        if fs::metadata(path)?.is_dir() {
            return Ok(FileContent::Directory);
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            let limit = format!("more than {FILE_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, limit));
        }
        Ok(FileContent::Bytes(bytes))
    };
    match read() {
        Err(error) if is_absence(&error) => Ok(FileContent::Missing),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, HostRoot) {
        let directory = tempfile::tempdir().unwrap();
        let root = HostRoot::open(directory.path()).unwrap();
        for (path, text) in files {
            root.write(path, text.as_bytes(), 0o644).unwrap();
        }
        (directory, root)
    }

    #[test]
    fn an_smb_conf_names_files_below_the_root() {
        let (_directory, root) = host(&[
            ("/etc/extra.conf", "tls crlfile = crl.pem\n"),
            ("/etc/ca.pem", "ca"),
            ("/var/lib/samba/private/crl.pem", "crl"),
            ("/etc/cas/b", "b"),
            ("/etc/cas/a", "a"),
            ("/etc/cas/inner/c", "c"),
            ("/etc/pki/tls/certs/ca-bundle.crt", "system"),
        ]);
        let text = "tls cafile = /etc/ca.pem\ntls ca directories = /etc/cas /none\n\
                    tls trust system cas = yes\ninclude = /etc/extra.conf\ninclude = other.conf\n";
        let settings = TlsSettings::from_smb_conf(text, &root).unwrap();
        let (config, unreadable) = settings.read();
        assert!(unreadable.is_empty(), "{unreadable:?}");
        assert!(!settings.uses_tls);
        assert_eq!(config.mode, VerifyPeer::AsStrictAsPossible);
        assert_eq!(config.priority, trust_verdict::SAMBA_PRIORITY);
        assert_eq!(config.trust.cafile, Some(PemFile::new("/etc/ca.pem", "ca")));
        assert_eq!(
            config.trust.crlfile,
            Some(PemFile::new("/var/lib/samba/private/crl.pem", "crl"))
        );
        let system = PemFile::new("/etc/pki/tls/certs/ca-bundle.crt", "system");
        assert_eq!(config.trust.system_cas, Some(system));
        let names: Vec<_> =
            config.trust.ca_directories[0].files.iter().map(|file| &file.0).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(config.trust.ca_directories[1].files.is_empty());
    }

    #[test]
    fn what_is_not_there_is_missing_and_what_cannot_be_read_is_told() {
        let (directory, root) = host(&[("/etc/ca.pem", "ca")]);
        std::os::unix::fs::symlink("/etc/hostname", directory.path().join("etc/out.pem")).unwrap();
        let settings = TlsSettings {
            cafile: Some(TrustPath::of_host("/etc/out.pem", &root)),
            crlfile: Some(TrustPath::of_host("/etc/none.pem", &root)),
            ca_directories: vec![TrustPath::of_host("/etc/../..", &root)],
            system_cas: vec![TrustPath::of_machine(directory.path())],
            ..TlsSettings::xapi()
        };
        let (config, unreadable) = settings.read();
        assert_eq!(config.trust.cafile, Some(PemFile::missing("/etc/out.pem")));
        assert_eq!(config.trust.crlfile, Some(PemFile::missing("/etc/none.pem")));
        assert_eq!(config.trust.system_cas.unwrap().content, FileContent::Directory);
        let [HostError::Escape { .. }, HostError::Path { .. }] = &unreadable[..] else {
            panic!("{unreadable:?}");
        };
    }
}
