//! Why the program ended, in words for its user.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use crate::exit::Exit;

/// Failed to serve or to clone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// `--chain` for a DC without `--key`, or the other way about.
    #[error("{given} is given for {dc}, but no {missing}")]
    ChainAndKey { dc: String, given: &'static str, missing: &'static str },
    /// The control port.
    #[error("the control port cannot listen on 127.0.0.1:{port}: {source}")]
    Control { port: u16, source: io::Error },
    /// `--from`.
    #[error("{server} shows no certificates: {source}")]
    Fetch { server: String, source: io::Error },
    /// The domain.
    #[error(transparent)]
    Domain(#[from] fake_dc::Error),
    /// The health listener.
    #[error("the health check cannot listen on 127.0.0.1:{port}: {source}")]
    Health { port: u16, source: io::Error },
    /// `--clone` for a folder that `fake-dc clone` did not write.
    #[error("{}: is no manifest of a clone: {source}", .path.display())]
    Manifest { path: PathBuf, source: serde_json::Error },
    /// A file that cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// `--scrub-map` or `--unscrub`.
    #[error("{}: {source}", .path.display())]
    ScrubMap { path: PathBuf, source: fake_dc_pki::clone::ScrubMapError },
    /// The machine refuses what every program may have.
    #[error("{what}: {source}")]
    System { what: &'static str, source: io::Error },
    /// `--behind-ca`.
    #[error("{}: {source}", .path.display())]
    Trust { path: PathBuf, source: fake_dc::TrustError },
    /// `--keytab`.
    #[error("no account is called {account}")]
    UnknownAccount { account: String },
    /// `--behind` with a name that has no address.
    #[error("{host}: no address is known for it: {source}")]
    UnknownHost { host: String, source: io::Error },
    /// A file or folder that cannot be written.
    #[error("{}: cannot be written: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::System { .. } | Self::Domain(fake_dc::Error::Reopen { .. }) => Exit::Broken,
            _ => Exit::InputWrong,
        }
    }

    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::ChainAndKey { .. } => {
                Some("give both: `--chain dc1=chain.pem --key dc1=key.pem`".to_owned())
            }
            Self::Control { .. } => {
                Some("choose another `--control-port`, or 0 to let the system choose".to_owned())
            }
            Self::Domain(error) => error.remedy(),
            Self::Fetch { .. } => Some(
                "save the text of `openssl s_client -connect HOST:636 -showcerts </dev/null` and \
                 give it with `--showcerts`; it also speaks what this program does not"
                    .to_owned(),
            ),
            Self::Manifest { .. } => {
                Some("name a folder that `fake-dc clone --out FOLDER` wrote".to_owned())
            }
            Self::ScrubMap { .. } => {
                Some("name the map of an earlier clone, or no file".to_owned())
            }
            Self::Health { .. } => {
                Some("choose another `--health-port`, or 0 to let the system choose".to_owned())
            }
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::InvalidData => Some("save the file as UTF-8".to_owned()),
                io::ErrorKind::NotFound => Some("check the path".to_owned()),
                _ => None,
            },
            Self::Write { .. } => Some("name a folder that you may write to".to_owned()),
            Self::Trust { .. } => {
                Some("give a PEM file with the CA of the DC's certificate, or with that".to_owned())
            }
            Self::UnknownAccount { .. } => {
                Some("name it as in sAMAccountName, such as `--keytab DC1$=dc1.keytab`".to_owned())
            }
            Self::UnknownHost { .. } => Some("give the address of the DC".to_owned()),
            Self::System { .. } => None,
        }
    }
    /// Says it on standard error, with what to do about it.
    pub(crate) fn complain(&self) {
        let mut out = io::stderr().lock();
        // Standard error is where a failure to write to it would be said.
        let _ = writeln!(out, "error: {self}");
        if let Some(remedy) = self.remedy() {
            let _ = writeln!(out, "  help: {remedy}");
        }
    }
}
