//! The files of a clone.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use fake_dc_pki::{
    Chain, PemFile,
    clone::{ClonedCertificate, ClonedChain},
};
use serde::{Deserialize, Serialize};

use crate::{error::Failure, input::read};

const CHAIN: &str = "chain.pem";
const KEY: &str = "key.pem";
const MANIFEST: &str = "manifest.json";

/// What a clone is and what it is for; no secret is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    about: String,
    seed: u64,
    names_exchanged: bool,
    /// The name that the first certificate is for; a DC that serves the clone goes by it.
    host_name: Option<String>,
    key_fits: bool,
    certificates: Vec<String>,
    chain: String,
    key: String,
    ca: Vec<String>,
    crl: Vec<String>,
}

const VERSION: u32 = 1;

/// Writes the clone, each file whole, the manifest last.
pub(super) fn write(
    folder: &Path,
    clone: &ClonedChain,
    seed: u64,
    names_exchanged: bool,
) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|source| Failure::Write { path: folder.to_owned(), source })?;
    write_public(&folder.join(CHAIN), clone.chain().to_pem().as_bytes())?;
    write_secret(&folder.join(KEY), &clone.chain().key.to_pem())?;
    let manifest = Manifest {
        version: VERSION,
        about:
            "A clone of a real chain under new keys, made by `fake-dc clone`. Whoever knows the \
                seed knows the keys: trust none of these certificates outside a lab."
                .to_owned(),
        seed,
        names_exchanged,
        host_name: clone.host_name(),
        key_fits: clone.key_fits(),
        certificates: clone.account().iter().map(ClonedCertificate::to_string).collect(),
        chain: CHAIN.to_owned(),
        key: KEY.to_owned(),
        ca: write_numbered(folder, "ca", clone.trusted())?,
        crl: write_numbered(folder, "crl", clone.revoked())?,
    };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|source| Failure::System { what: "the manifest", source: source.into() })?;
    write_public(&folder.join(MANIFEST), (text + "\n").as_bytes())
}

/// `ca.pem`, or `ca-1.pem` and so on; a file that is binary, and so no PEM, ends in `.der`.
fn write_numbered(folder: &Path, stem: &str, files: &[Vec<u8>]) -> Result<Vec<String>, Failure> {
    let mut names = Vec::with_capacity(files.len());
    for (number, content) in (1..).zip(files) {
        let ending = if content.first() == Some(&0x30) { "der" } else { "pem" };
        let name = match files.len() {
            1 => format!("{stem}.{ending}"),
            _ => format!("{stem}-{number}.{ending}"),
        };
        write_public(&folder.join(&name), content)?;
        names.push(name);
    }
    Ok(names)
}

/// A file that everybody may read.
pub(super) fn write_public(path: &Path, content: &[u8]) -> Result<(), Failure> {
    write_whole(path, content, 0o644)
}

/// A file that only its owner may read.
pub(super) fn write_secret(path: &Path, content: &str) -> Result<(), Failure> {
    write_whole(path, content.as_bytes(), 0o600)
}

/// Writes beside and renames: whoever finds the file finds all of it.
fn write_whole(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".fake-dc-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| Failure::Write { path: path.to_owned(), source })
}

/// A clone as it was written.
#[derive(Debug)]
pub(crate) struct CloneFolder {
    /// What a DC shows.
    pub(crate) chain: Chain,
    /// The name that it goes by.
    pub(crate) host_name: Option<String>,
    /// What a client trusts, if that was cloned too.
    pub(crate) ca_file: Option<PathBuf>,
}

impl CloneFolder {
    /// Reads what `fake-dc clone --out` wrote.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(MANIFEST);
        let manifest: Manifest = serde_json::from_str(&read(&path)?)
            .map_err(|source| Failure::Manifest { path: path.clone(), source })?;
        let file = |name: &str| -> Result<(String, String), Failure> {
            let path = folder.join(name);
            Ok((path.display().to_string(), read(&path)?))
        };
        let (chain_name, chain) = file(&manifest.chain)?;
        let (key_name, key) = file(&manifest.key)?;
        let files = (PemFile::new(&chain_name, &chain), PemFile::new(&key_name, &key));
        let ca_file = manifest.ca.first().map(|name| folder.join(name));
        Ok(Self {
            chain: Chain::from_pem(&files.0, &files.1).map_err(fake_dc::Error::from)?,
            host_name: manifest.host_name,
            ca_file: ca_file.map(|path| fs::canonicalize(&path).unwrap_or(path)),
        })
    }
}
