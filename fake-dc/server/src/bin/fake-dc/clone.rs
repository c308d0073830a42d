//! `fake-dc clone`: a customer's chain under new keys, to be served by `fake-dc serve --clone`.

use std::{
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use fake_dc_pki::{
    PemFile,
    clone::{CloneOptions, ClonedChain, Original, ScrubMap},
};
use ground::Seed;

use crate::{error::Failure, exit::Exit};

mod fetch;
mod folder;

pub(crate) use folder::CloneFolder;

/// What to clone, and where to.
#[derive(Debug, Args)]
#[command(
    after_help = "The keys come from the seed and protect nothing: never trust ca.pem outside a lab."
)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// A file of certificates that the customer's client trusts (PEM); may be given several times.
    #[arg(long = "ca", value_name = "FILE")]
    cas: Vec<PathBuf>,
    /// A file of revocation lists that the customer's client reads (PEM).
    #[arg(long, value_name = "FILE")]
    crl: Option<PathBuf>,
    /// Folder for the clone: chain.pem, key.pem, ca.pem, crl.pem and manifest.json.
    #[arg(long, value_name = "FOLDER", required_unless_present_any = ["chain_out", "key_out", "ca_out"])]
    out: Option<PathBuf>,
    /// File for the certificates.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    chain_out: Option<PathBuf>,
    /// File for the key of the first certificate.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    key_out: Option<PathBuf>,
    /// File for the clone of --ca.
    #[arg(long, value_name = "FILE", conflicts_with = "out", requires = "cas")]
    ca_out: Option<PathBuf>,
    /// File for the clone of --crl.
    #[arg(long, value_name = "FILE", conflicts_with = "out", requires = "crl")]
    crl_out: Option<PathBuf>,
    /// The seed of the new keys.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Exchange every name for an invented one, everywhere alike.
    #[arg(long)]
    scrub: bool,
    /// The file that turns invented names back into real ones; if it exists, its inventions are
    /// used again. By default scrub-map.json beside the folder (or file) of the clone.
    #[arg(long, value_name = "FILE", requires = "scrub")]
    scrub_map: Option<PathBuf>,
    /// Another name to say the invention for, such as the host name that a client wants.
    #[arg(long = "peer", value_name = "NAME", requires = "scrub")]
    peers: Vec<String>,
    /// Put the real names back into a clone that was made with --scrub and this map.
    #[arg(long, value_name = "MAP", conflicts_with = "scrub")]
    unscrub: Option<PathBuf>,
}

/// Where the chain is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// Text of `openssl s_client -showcerts`; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    showcerts: Option<PathBuf>,
    /// PEM, leaf first, with any text around the blocks; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pem: Option<PathBuf>,
    /// PKCS#7 (.p7b), in PEM or DER.
    #[arg(long, value_name = "FILE")]
    pkcs7: Option<PathBuf>,
    /// Certificates in DER.
    #[arg(long, value_name = "FILE")]
    der: Option<PathBuf>,
    /// A live server: ldaps://HOST[:PORT], or ldap://HOST[:PORT] for StartTLS.
    #[arg(long, value_name = "URL")]
    from: Option<fetch::Server>,
}

/// Clones, and says what came of it.
pub(crate) fn run(options: &Options) -> Exit {
    match clone(options) {
        Ok(()) => Exit::Held,
        Err(failure) => {
            failure.complain();
            failure.exit()
        }
    }
}

fn clone(options: &Options) -> Result<(), Failure> {
    let mut original = options.source.read()?;
    for path in &options.cas {
        let content = read(path)?;
        original = original.trusted_by(&PemFile::new(&path.display().to_string(), &content));
    }
    if let Some(path) = &options.crl {
        let content = read(path)?;
        original = original.revoked_by(&PemFile::new(&path.display().to_string(), &content));
    }
    let mut how = CloneOptions::new(Seed::new(options.seed));
    let map_path = options.map_path();
    if options.scrub {
        how = match read_map(&map_path)? {
            Some(map) => how.scrubbing_names_by(map),
            None => how.scrubbing_names(),
        };
    } else if let Some(path) = &options.unscrub {
        let missing =
            || Failure::Read { path: path.clone(), source: io::ErrorKind::NotFound.into() };
        how = how.restoring_names(&read_map(path)?.ok_or_else(missing)?);
    }
    let clone = original.clone_with(&how).map_err(fake_dc::Error::from)?;
    let mut map = clone.map().cloned();
    let peers: Vec<(&str, String)> = map
        .iter_mut()
        .flat_map(|map| options.peers.iter().map(|peer| (peer.as_str(), map.name(peer))))
        .collect();
    if let Some(map) = &map {
        // First, so that no clone is without the way back.
        folder::write_secret(&map_path, &map.to_json())?;
    }
    options.write(&clone)?;
    options
        .report(&clone, &map_path, &peers)
        .map_err(|source| Failure::System { what: "standard output", source })
}

impl Source {
    fn read(&self) -> Result<Original, Failure> {
        type Reader = fn(&PemFile<'_>) -> Result<Original, fake_dc_pki::PkiError>;
        let forms: [(&Option<PathBuf>, Reader); 4] = [
            (&self.showcerts, Original::from_showcerts),
            (&self.pem, Original::from_pem),
            (&self.pkcs7, Original::from_pkcs7),
            (&self.der, Original::from_der),
        ];
        for (path, reader) in forms {
            if let Some(path) = path {
                let name = path.display().to_string();
                let content = read(path)?;
                let original = reader(&PemFile::new(&name, &content));
                return Ok(original.map_err(fake_dc::Error::from)?);
            }
        }
        match &self.from {
            Some(server) => {
                Ok(Original::from_handshake(&server.to_string(), &server.certificates()?))
            }
            // Not reached: the arguments have one of them.
            None => Ok(Original::from_handshake("nothing", &[])),
        }
    }
}

impl Options {
    /// Beside the clone and not in it: the clone may be sent away, the map may not.
    fn map_path(&self) -> PathBuf {
        if let Some(path) = &self.scrub_map {
            return path.clone();
        }
        let clone =
            [&self.out, &self.chain_out, &self.key_out, &self.ca_out].into_iter().flatten().next();
        let beside = clone.and_then(|clone| clone.parent()).unwrap_or(Path::new(""));
        beside.join("scrub-map.json")
    }

    fn write(&self, clone: &ClonedChain) -> Result<(), Failure> {
        if let Some(path) = &self.out {
            return folder::write(path, clone, self.seed, self.scrub);
        }
        if let Some(path) = &self.chain_out {
            folder::write_public(path, clone.chain().to_pem().as_bytes())?;
        }
        if let Some(path) = &self.key_out {
            folder::write_secret(path, &clone.chain().key.to_pem())?;
        }
        if let Some(path) = &self.ca_out {
            folder::write_public(path, &clone.trusted().concat())?;
        }
        if let Some(path) = &self.crl_out {
            folder::write_public(path, &clone.revoked().concat())?;
        }
        Ok(())
    }

    fn report(
        &self,
        clone: &ClonedChain,
        map_path: &Path,
        peers: &[(&str, String)],
    ) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for certificate in clone.account() {
            writeln!(out, "{certificate}")?;
        }
        if !clone.key_fits() {
            writeln!(out, "the first certificate has no key: key.pem is that of no certificate")?;
        }
        if self.scrub {
            writeln!(out, "names: {} turns them back, so keep it", map_path.display())?;
        }
        for (peer, invention) in peers {
            writeln!(out, "peer {peer}: {invention}")?;
        }
        if let Some(path) = &self.out {
            writeln!(out, "serve it: fake-dc serve --clone {}", path.display())?;
        }
        out.flush()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let content = if path == Path::new("-") {
        let mut content = Vec::new();
        io::stdin().lock().read_to_end(&mut content).map(|_| content)
    } else {
        std::fs::read(path)
    };
    content.map_err(|source| Failure::Read { path: path.to_owned(), source })
}

fn read_map(path: &Path) -> Result<Option<ScrubMap>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let text = crate::input::read(path)?;
    let map = ScrubMap::from_json(&text);
    map.map(Some).map_err(|source| Failure::ScrubMap { path: path.to_owned(), source })
}
