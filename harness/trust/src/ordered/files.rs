//! What an appliance keeps on its disk to serve TLS and to judge others: leaf, key, chain, the site of
//! its web server, and its trust store.
//!
//! They change together. Each set is written to a directory of its own, and then one link is
//! renamed; CloudStack's paths are links through that one. A process that dies leaves the old set or
//! the new one.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink},
    path::{Path, PathBuf},
};

use ground::Secret;

use super::TrustStore;

/// Where sets live, below the root directory of an appliance.
const SETS: &str = "etc/ssl/cloud";
const CURRENT: &str = "current";

const LEAF: &str = "cert_apache.crt";
const KEY: &str = "cert_apache.key";
const CHAIN: &str = "cert_apache_chain.crt";
const SITE: &str = "default-ssl";
const STORE: &str = "realhostip.keystore";

/// CloudStack's paths, and the way from their directory back to the root.
const PATHS: [(&str, &str, &str); 5] = [
    ("etc/ssl/certs", "../../..", LEAF),
    ("etc/ssl/private", "../../..", KEY),
    ("etc/ssl/certs", "../../..", CHAIN),
    ("etc/apache2/sites-available", "../../..", SITE),
    ("usr/local/cloud/systemvm/certs", "../../../../..", STORE),
];

/// The directive that names the chain file in the site of the web server.
const CHAIN_DIRECTIVE: &str = "SSLCertificateChainFile";

/// The files of one set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSet {
    /// PEM of the server certificate.
    pub leaf: String,
    /// PKCS#8 in PEM.
    pub key: Secret,
    /// PEM of root to last intermediate; the file need not be there.
    pub chain: Option<String>,
    /// Whether the site of the web server names the chain file.
    pub serves_chain: bool,
    /// `realhostip.keystore`.
    pub store: TrustStore,
}

impl FileSet {
    /// The set that is installed below `root`, if there is one.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or the trust store is damaged.
    pub fn read(root: &Path) -> io::Result<Option<Self>> {
        let sets = root.join(SETS);
        // One set, whatever becomes of the link meanwhile.
        let set = match fs::read_link(sets.join(CURRENT)) {
            Ok(name) => sets.join(name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let store = TrustStore::from_bytes(&fs::read(set.join(STORE))?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let chain = set.join(CHAIN);
        let chain = if chain.exists() { Some(fs::read_to_string(chain)?) } else { None };
        let site = fs::read_to_string(set.join(SITE))?;
        Ok(Some(Self {
            leaf: fs::read_to_string(set.join(LEAF))?,
            key: Secret::new(fs::read_to_string(set.join(KEY))?),
            chain,
            serves_chain: site.lines().any(|line| line.trim().starts_with(CHAIN_DIRECTIVE)),
            store,
        }))
    }

    /// Replaces what is installed below `root`, all of it or nothing.
    ///
    /// # Errors
    ///
    /// A file cannot be written; what was installed is still there.
    pub fn install(&self, root: &Path) -> io::Result<()> {
        let sets = root.join(SETS);
        fs::create_dir_all(&sets)?;
        let former = fs::read_link(sets.join(CURRENT)).ok();
        remove_others(&sets, former.as_deref())?;
        for (directory, back, name) in PATHS {
            link(root, directory, back, name)?;
        }

        let number: u64 = former
            .as_deref()
            .and_then(Path::to_str)
            .and_then(|name| name.parse().ok())
            .unwrap_or_default();
        let name = number.wrapping_add(1).to_string();
        let set = sets.join(&name);
        fs::DirBuilder::new().mode(0o700).create(&set)?;
        fs::write(set.join(LEAF), &self.leaf)?;
        write_secret(&set.join(KEY), &self.key)?;
        if let Some(chain) = &self.chain {
            fs::write(set.join(CHAIN), chain)?;
        }
        fs::write(set.join(SITE), self.site())?;
        fs::write(set.join(STORE), self.store.to_bytes())?;
        let next = sets.join("next");
        symlink(&name, &next)?;
        fs::rename(&next, sets.join(CURRENT))?;
        remove_others(&sets, Some(Path::new(&name)))
    }

    /// What the web server sends: the leaf and then the chain file as it is, from the root down.
    pub(super) fn shown(&self) -> String {
        let chain = self.chain.as_deref().filter(|_| self.serves_chain).unwrap_or_default();
        format!("{}\n{chain}", self.leaf.trim_end())
    }

    fn site(&self) -> String {
        let mark = if self.serves_chain { "" } else { "#" };
        format!(
            "<VirtualHost *:443>\n\
             \x20   SSLEngine on\n\
             \x20   SSLCertificateFile /etc/ssl/certs/{LEAF}\n\
             \x20   SSLCertificateKeyFile /etc/ssl/private/{KEY}\n\
             \x20   {mark}{CHAIN_DIRECTIVE} /etc/ssl/certs/{CHAIN}\n\
             </VirtualHost>\n"
        )
    }
}

/// Removes what a former set, or one that was never finished, has left.
fn remove_others(sets: &Path, kept: Option<&Path>) -> io::Result<()> {
    for entry in fs::read_dir(sets)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        if name == Path::new(CURRENT) || Some(name.as_path()) == kept {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn link(root: &Path, directory: &str, back: &str, name: &str) -> io::Result<()> {
    let path = root.join(directory).join(name);
    if path.is_symlink() {
        return Ok(());
    }
    fs::create_dir_all(root.join(directory))?;
    symlink(Path::new(back).join(SETS).join(CURRENT).join(name), path)
}

fn write_secret(path: &Path, secret: &Secret) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, secret.expose().as_bytes())
}
