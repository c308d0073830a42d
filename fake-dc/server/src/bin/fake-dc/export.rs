//! `fake-dc export`: a whole directory as LDIF, of a running domain or of one that is made for it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, Flavour, LdifSource, Secrets, TrustPartner,
};
use ground::{Clock, Secret, Seed};
use hyper::Method;
use serde_json::Value;

use crate::{
    ctl::{Client, Request},
    error::Failure,
    exit::Exit,
    input::{TrustArgument, flavour, read, read_ldif},
};

/// Which directory to write, and where.
#[derive(Debug, Args)]
#[command(after_help = "`fake-dc serve --ldif FILE` serves the same directory again.")]
pub(crate) struct Options {
    /// Of the running domain whose control port this is, as the ready line names it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["domain", "ldif"])]
    control: Option<String>,
    /// Of the domain that `fake-dc serve` would make of these options.
    #[arg(long, value_name = "NAME", required_unless_present = "control")]
    domain: Option<String>,
    /// NetBIOS name of the domain; by default the first label of its DNS name.
    #[arg(long, value_name = "NAME", requires = "domain")]
    netbios: Option<String>,
    /// Number of DCs: dc1, dc2 and so on.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    dcs: usize,
    /// The seed of identifiers.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Entries to load: an LDIF file, or a folder whose *.ldif files are loaded in order.
    #[arg(long, value_name = "PATH")]
    ldif: Vec<PathBuf>,
    /// A trust, as for `fake-dc serve`.
    #[arg(long = "trust", value_name = "DOMAIN[=KIND[:DIRECTION]]", requires = "domain")]
    trusts: Vec<TrustArgument>,
    /// File with the password of all accounts that the LDIF gives none.
    #[arg(long, value_name = "FILE", requires = "domain")]
    default_password_file: Option<PathBuf>,
    /// Whose directory: windows-2022 or samba-4.22.
    #[arg(long, value_parser = flavour, default_value = "windows-2022")]
    flavour: Flavour,
    /// Write the passwords of accounts and trusts, too, in clear text. The file is its owner's
    /// alone then.
    #[arg(long)]
    with_passwords: bool,
    /// The file, which is written whole or not at all; by default standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes it.
pub(crate) fn run(options: &Options) -> Exit {
    let text = match &options.control {
        Some(url) => match ask(url, options.with_passwords) {
            Ok(text) => text,
            Err(exit) => return exit,
        },
        None => match made(options) {
            Ok(text) => text,
            Err(failure) => return complain(&failure),
        },
    };
    let Some(path) = &options.out else {
        // A reader that has seen enough, such as `head`, is no failure.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        return Exit::Held;
    };
    match write(path, &text, options.with_passwords) {
        Ok(()) => Exit::Held,
        Err(source) => complain(&Failure::Write { path: path.clone(), source }),
    }
}

fn complain(failure: &Failure) -> Exit {
    failure.complain();
    failure.exit()
}

/// The directory of a running domain.
fn ask(url: &str, with_passwords: bool) -> Result<String, Exit> {
    let query = if with_passwords { "?passwords=included" } else { "" };
    let request = Request { method: Method::GET, path: format!("v1/export{query}"), body: None };
    let answer = Client::new(url).and_then(|client| client.ask(&request)).map_err(|failure| {
        let _ = write!(io::stderr().lock(), "{failure}");
        failure.exit()
    })?;
    Ok(answer.get("ldif").and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// The directory that the options describe.
fn made(options: &Options) -> Result<String, Failure> {
    let domain = options.domain.as_deref().unwrap_or_default();
    let seed = Seed::new(options.seed);
    let mut config = DirectoryConfig {
        netbios: options.netbios.clone(),
        flavour: options.flavour,
        dcs: (1..=options.dcs).map(|n| DcView::new(format!("dc{n}"), domain)).collect(),
        ..DirectoryConfig::new(domain, seed, Clock::system())
    };
    if let Some(path) = &options.default_password_file {
        let text = read(path)?;
        config.default_password = Secret::new(text.trim_end_matches(['\r', '\n']));
    }
    for path in &options.ldif {
        let sources = read_ldif(path)?.into_iter();
        config.sources.extend(sources.map(|(name, text)| LdifSource { name, text }));
    }
    let directory = Directory::build(config).map_err(fake_dc::Error::from)?;
    for trust in &options.trusts {
        let partner = TrustPartner::drawn(&trust.partner, seed);
        let made = directory.trust_partner(&partner, trust.kind, trust.direction);
        made.map_err(fake_dc::Error::from)?;
    }
    Ok(directory.export(secrets(options.with_passwords)))
}

pub(crate) fn secrets(with_passwords: bool) -> Secrets {
    if with_passwords { Secrets::Included } else { Secrets::LeftOut }
}

/// Writes a file beside the one that is meant and puts it in its place.
fn write(path: &Path, text: &str, is_secret: bool) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mode = if is_secret { 0o600 } else { 0o644 };
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if written.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists) {
        // What is half written is of no use to anybody.
        let _ = fs::remove_file(&new);
    }
    written
}
