//! The samples of `fixtures/oracle` as clients and chains.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ground::Timestamp;
use serde::Deserialize;
use trust_verdict::{
    Client, ClientConfig, ConfigError, FileContent, PeerName, PemFile, Presented, SAMBA_PRIORITY,
    TlsVersion, TrustDirectory, TrustFiles, Verdict, VerifyPeer, XAPI_PRIORITY,
};

/// A time within the validity of the sound certificates (2024 to 2049).
pub(crate) fn now() -> Timestamp {
    "2026-08-21T02:00:23Z".parse().expect("a time")
}

/// All sample folders, sorted.
pub(crate) fn oracle() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/oracle");
    let entries = fs::read_dir(root).expect("fixtures/oracle");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.join("expected.json").exists())
        .collect();
    folders.sort();
    folders
}

/// One sample by name.
pub(crate) fn sample(name: &str) -> Sample {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/oracle");
    Sample::load(&root.join(name))
}

/// A line for the person who runs the tests, even when they pass.
pub(crate) fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{line}").expect("stderr");
}

/// Says that a test cannot run here; where the tools are promised that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_none(), "cannot run: {why}");
    say(&format!("skipped: {why}"));
}

#[derive(Debug, Deserialize)]
struct Description {
    crlfile: Option<String>,
    crl_in_every_mode: bool,
    cadir: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) crl_in_every_mode: bool,
    folder: PathBuf,
    chain: Vec<u8>,
    crlfile: Option<PemFile>,
    cafile: PemFile,
    directories: Vec<TrustDirectory>,
}

impl Sample {
    pub(crate) fn load(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("expected.json")).expect("expected.json");
        let description: Description = serde_json::from_str(&text).expect("a description");
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let file = |name: &str| pem_file(folder, name);
        Self {
            crl_in_every_mode: description.crl_in_every_mode,
            chain: fs::read(folder.join("chain.pem")).expect("chain.pem"),
            crlfile: description.crlfile.map(|name| file(&name)),
            cafile: file("cafile.pem"),
            directories: description
                .cadir
                .map(|name| directory(folder, &name))
                .into_iter()
                .collect(),
            folder: folder.to_path_buf(),
            name,
        }
    }

    /// The same sample with other files in the places of its own: those of
    /// [`Self::trust_files`], in that order.
    pub(crate) fn with(&self, chain: Vec<u8>, trusted: &[Vec<u8>], crl: Option<Vec<u8>>) -> Self {
        let mut other = self.clone();
        other.chain = chain;
        let mut trusted = trusted.iter();
        let mut next = || trusted.next().cloned().expect("a file for each");
        if let FileContent::Bytes(content) = &mut other.cafile.content {
            *content = next();
        }
        for (_, content) in other.directories.iter_mut().flat_map(|it| it.files.iter_mut()) {
            *content = next();
        }
        if let (Some(file), Some(crl)) = (&mut other.crlfile, crl) {
            file.content = FileContent::Bytes(crl);
        }
        other
    }

    /// What the server sends, as PEM.
    pub(crate) fn chain(&self) -> &[u8] {
        &self.chain
    }

    /// The contents of the files of trusted certificates.
    pub(crate) fn trust_files(&self) -> Vec<&[u8]> {
        let cafile = match &self.cafile.content {
            FileContent::Bytes(content) => Some(content.as_slice()),
            _ => None,
        };
        let files = self.directories.iter().flat_map(|directory| &directory.files);
        cafile.into_iter().chain(files.map(|(_, content)| content.as_slice())).collect()
    }

    /// The content of the file of revocation lists.
    pub(crate) fn crl_file(&self) -> Option<&[u8]> {
        match &self.crlfile.as_ref()?.content {
            FileContent::Bytes(content) => Some(content),
            _ => None,
        }
    }

    /// The contents of all its files.
    pub(crate) fn files(&self) -> Vec<&[u8]> {
        [self.chain()].into_iter().chain(self.trust_files()).chain(self.crl_file()).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The directory as it appears in messages.
    pub(crate) fn dir(&self) -> String {
        self.folder.display().to_string()
    }

    /// The client of the sample in a mode.
    pub(crate) fn client(&self, mode: VerifyPeer, priority: &str) -> Result<Client, ConfigError> {
        Client::new(self.config(mode, priority))
    }

    pub(crate) fn config(&self, mode: VerifyPeer, priority: &str) -> ClientConfig {
        let uses_crl = self.crl_in_every_mode || mode == VerifyPeer::AsStrictAsPossible;
        ClientConfig {
            mode,
            trust: TrustFiles {
                cafile: Some(self.cafile.clone()),
                ca_directories: self.directories.clone(),
                system_cas: None,
                crlfile: self.crlfile.clone().filter(|_| uses_crl),
            },
            priority: match priority {
                "xapi" => XAPI_PRIORITY.to_owned(),
                "default" => SAMBA_PRIORITY.to_owned(),
                other => other.to_owned(),
            },
        }
    }

    /// The chain as it is sent.
    pub(crate) fn presented(&self, tls: TlsVersion) -> Presented {
        Presented::from_bytes(&self.chain, tls).expect("chain.pem")
    }

    /// The certificates of its trust set in DER, whatever can be read.
    pub(crate) fn trusted(&self) -> Vec<Vec<u8>> {
        let files = self.directories.iter().flat_map(|directory| &directory.files);
        let mut trusted: Vec<Vec<u8>> = Vec::new();
        let cafile = match &self.cafile.content {
            FileContent::Bytes(bytes) => bytes.as_slice(),
            _ => &[],
        };
        for bytes in files.map(|(_, bytes)| bytes.as_slice()).chain([cafile]) {
            // GnuTLS does not see these.
            let text = String::from_utf8_lossy(bytes).replace("TRUSTED CERTIFICATE", "NOTHING");
            let found = Presented::from_bytes(text.as_bytes(), TlsVersion::Tls13);
            trusted.extend(found.into_iter().flat_map(|presented| presented.certificates));
        }
        trusted
    }

    pub(crate) fn judge(
        &self,
        mode: VerifyPeer,
        priority: &str,
        peer: &str,
        tls: TlsVersion,
        at: Timestamp,
    ) -> Verdict {
        let peer = PeerName::new(peer);
        match self.client(mode, priority) {
            Ok(client) => client.judge(&peer, &self.presented(tls), at),
            Err(error) => error.verdict(&peer, at),
        }
    }
}

fn pem_file(folder: &Path, name: &str) -> PemFile {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => PemFile::new(path.display().to_string(), bytes),
        Err(_) => PemFile::missing(path.display().to_string()),
    }
}

fn directory(folder: &Path, name: &str) -> TrustDirectory {
    let path = folder.join(name);
    let entries = fs::read_dir(&path).expect("the CA directory");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let bytes = fs::read(entry.path()).expect("a file");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    files.sort();
    TrustDirectory { path: path.display().to_string(), files }
}
