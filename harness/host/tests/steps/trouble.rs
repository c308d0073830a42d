//! What goes wrong at a command.

use std::{fs, time::Duration};

use sim_host::{Network, Output, smb_conf};

use crate::{
    deeds::Kind,
    estate::{Estate, Rig},
};

/// What goes wrong on one host when the command `at` comes, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) host: usize,
    pub(crate) at: usize,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The program fails this time.
    Once(Words),
    /// The program fails, and does so whenever it is run from now on.
    Lasting(Words),
    /// The host does not reach any DC or name server from now on.
    Dark,
    /// The bundle is missing.
    NoBundle,
    /// Somebody puts a directory where smb.conf is: it can be neither read nor written.
    NoConf,
    /// The same with `/etc/hosts`.
    NoHosts,
    /// Time goes by before the program ends: these are seconds.
    Slow(u64),
}

impl What {
    pub(crate) const ALL: [Self; 11] = [
        Self::Once(Words::Generic),
        Self::Lasting(Words::Nothing),
        Self::Lasting(Words::Generic),
        Self::Lasting(Words::InvalidAccount),
        Self::Lasting(Words::Credentials),
        Self::Lasting(Words::Untrusted),
        Self::Lasting(Words::TlsFailed),
        Self::Lasting(Words::EncryptionType),
        Self::Dark,
        Self::NoConf,
        Self::Slow(301),
    ];

    /// Whether it can happen at a command, and makes a difference there: only `net` is read for
    /// words, and only of a search is it read what it prints.
    pub(crate) fn happens_at(&self, step: Kind) -> bool {
        let search = matches!(step, Kind::SearchAsMachine | Kind::SearchAsUser);
        match self {
            Self::Lasting(Words::Nothing) => search,
            Self::Lasting(Words::Generic) => true,
            Self::Lasting(_) => search || step == Kind::Join,
            _ => true,
        }
    }
}

/// How a program fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// Exit 0, and nothing on standard output.
    Nothing,
    Generic,
    InvalidAccount,
    Credentials,
    Untrusted,
    TlsFailed,
    EncryptionType,
}

impl Words {
    /// A text that holds the fragment of §6.6.
    const fn stderr(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Generic => "Failed: NT_STATUS_CONNECTION_REFUSED",
            Self::InvalidAccount => "The name provided is not a properly formed account name.",
            Self::Credentials => {
                "The attempted logon is invalid. This is either due to a bad username or \
                 authentication information."
            }
            Self::Untrusted => {
                "Windows cannot verify the digital signature for this file. A recent hardware"
            }
            Self::TlsFailed => {
                "tstream_tls_sync_setup: GNUTLS ERROR: A TLS fatal alert has been received."
            }
            Self::EncryptionType => "KDC has no support for encryption type",
        }
    }

    /// The suffix of §6.6.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Nothing | Self::Generic => "",
            Self::InvalidAccount => "_INVALID_ACCOUNT",
            Self::Credentials => "_WRONG_CREDENTIALS",
            Self::Untrusted => "_INVALID_TRUSTED_CERTS",
            Self::TlsFailed => "_SETUP_TLS_CONNECTION",
            Self::EncryptionType => "_NO_SUPPORT_ENCRYPT_TYPE",
        }
    }

    fn output(self) -> Output {
        let exit = if self == Self::Nothing { 0 } else { 255 };
        Output { exit, stdout: String::new(), stderr: self.stderr().to_owned() }
    }
}

impl Trouble {
    /// Lets it happen when its command comes.
    pub(crate) fn arrange(self, estate: &Estate, rig: &Rig) {
        let host = rig.host(self.host).clone();
        let programs = &rig.programs[self.host];
        match self.what {
            What::Once(words) => programs.at(self.at, false, move |_| Some(words.output())),
            What::Lasting(words) => {
                let mut failing = None;
                programs.at(self.at, true, move |kind| {
                    (*failing.get_or_insert(kind) == kind).then(|| words.output())
                });
            }
            What::Dark => programs.at(self.at, false, move |_| {
                host.set_network(Network::default());
                None
            }),
            What::NoConf => programs.at(self.at, false, move |_| {
                let path = host.root().real_path(smb_conf::PATH).unwrap();
                let _ = fs::remove_file(&path);
                fs::create_dir_all(&path).unwrap();
                None
            }),
            What::NoBundle | What::NoHosts => panic!("{:?} comes before the call", self.what),
            What::Slow(seconds) => {
                let time = estate.time.clone();
                programs.at(self.at, false, move |_| {
                    time.advance(Duration::from_secs(seconds));
                    None
                });
            }
        }
    }
}

/// Puts right what was arranged.
pub(crate) fn end(estate: &Estate, rig: &Rig) {
    for index in 0..rig.plan.hosts {
        rig.programs[index].calm();
        rig.host(index).set_network(estate.network());
        rig.host(index).set_liveness(sim_host::Liveness::Live);
        let path = rig.host(index).root().real_path(smb_conf::PATH).unwrap();
        if path.is_dir() {
            fs::remove_dir(path).unwrap();
        }
    }
}
