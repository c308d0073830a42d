//! The door between xapi and Samba: the command lines of xapi-flows.md §6.2.
//!
//! xapi never talks to a DC itself. It runs `net` and `wbinfo` and reads what they print. A host
//! has one [`Programs`]: the model of this crate ([`crate::samba`]), or the real programs run with
//! the host's own files. Both take the same command and answer with the same words.

use std::{fmt, future::Future, net::IpAddr, pin::Pin};

use ground::{Secret, Trail};

/// A program that xapi runs, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SambaCommand {
    /// `net ads enctypes set --machine-pass -d D ACCOUNT TYPES`.
    AdsEnctypesSet {
        /// The machine account, with its trailing `$`.
        account: String,
        /// Value for `msDS-SupportedEncryptionTypes`.
        types: u32,
    },
    /// `net ads join DOMAIN -U USER -n NETBIOS -d D --no-dns-updates [-S DC] [createcomputer=OU]
    /// [dnshostname=NAME]`, the password in `PASSWD`.
    AdsJoin {
        /// Domain to join, as the caller of the API typed it.
        domain: String,
        /// Account that joins.
        user: String,
        /// Its password.
        password: Secret,
        /// NetBIOS name of the machine account, without the trailing `$`.
        netbios_name: String,
        /// The DC to use; without it the program finds one.
        server: Option<IpAddr>,
        /// Organisational unit for the account.
        ou: Option<String>,
        /// Value for `dNSHostName`.
        dns_hostname: Option<String>,
    },
    /// `net ads leave -U USER -d D`, the password in `PASSWD`.
    AdsLeave {
        /// Account that leaves.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// `net ads lookup -S ADDRESS -d D`.
    AdsLookup {
        /// The DC.
        server: IpAddr,
    },
    /// `net ads search -d D [--server DC] [--machine-pass] FILTER ATTRIBUTE…`.
    AdsSearch {
        /// The DC.
        server: Server,
        /// Whose credentials to bind with.
        credentials: Credentials,
        /// RFC 4515 filter text.
        filter: String,
        /// Attributes to print.
        attributes: Vec<String>,
    },
    /// `net ads sid SID -d D --server DC [--machine-pass] ATTRIBUTE…`.
    AdsSid {
        /// The DC.
        server: Server,
        /// Whose credentials to bind with.
        credentials: Credentials,
        /// Of the account.
        sid: String,
        /// Attributes to print.
        attributes: Vec<String>,
    },
    /// `net cache flush`.
    CacheFlush,
    /// `net lookup kdc DOMAIN -d D`.
    LookupKdc {
        /// Domain whose DCs are wanted.
        domain: String,
    },
    /// `systemctl restart winbind`.
    RestartWinbind,
    /// `systemctl start winbind`.
    StartWinbind,
    /// `systemctl stop winbind`.
    StopWinbind,
    /// `wbinfo`.
    Wbinfo(Wbinfo),
    /// `systemctl is-active winbind`.
    WinbindIsActive,
    /// `tdbtool /var/lib/samba/private/secrets.tdb erase`, then everything in that folder.
    WipeSecrets,
}

impl SambaCommand {
    /// The program with its first words, without arguments: `net ads search`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AdsEnctypesSet { .. } => "net ads enctypes set",
            Self::AdsJoin { .. } => "net ads join",
            Self::AdsLeave { .. } => "net ads leave",
            Self::AdsLookup { .. } => "net ads lookup",
            Self::AdsSearch { .. } => "net ads search",
            Self::AdsSid { .. } => "net ads sid",
            Self::CacheFlush => "net cache flush",
            Self::LookupKdc { .. } => "net lookup kdc",
            Self::RestartWinbind => "systemctl restart winbind",
            Self::StartWinbind => "systemctl start winbind",
            Self::StopWinbind => "systemctl stop winbind",
            Self::Wbinfo(question) => question.name(),
            Self::WinbindIsActive => "systemctl is-active winbind",
            Self::WipeSecrets => "tdbtool erase",
        }
    }
}

/// A question for winbind, or an order to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wbinfo {
    /// `wbinfo --change-secret`.
    ChangeSecret,
    /// `wbinfo --getdcname DOMAIN`.
    GetDcName {
        /// NetBIOS or DNS name of the domain.
        domain: String,
    },
    /// `wbinfo --krb5auth NAME --krb5ccname /dev/null`, the password on standard input.
    Krb5Auth {
        /// Account name in any form.
        name: String,
        /// Its password.
        password: Secret,
    },
    /// `wbinfo --name-to-sid NAME`, of which `-n` is the short form.
    NameToSid {
        /// Account name; `KRBTGT` is xapi's readiness test.
        name: String,
    },
    /// `wbinfo --sid-to-gid SID`.
    SidToGid {
        /// Of a group.
        sid: String,
    },
    /// `wbinfo --sid-to-name SID`.
    SidToName {
        /// Of an account of any kind.
        sid: String,
    },
    /// `wbinfo --sid-to-uid SID`.
    SidToUid {
        /// Of a user.
        sid: String,
    },
    /// `wbinfo --uid-info UID`.
    UidInfo {
        /// Number of a user on this host.
        uid: u32,
    },
    /// `wbinfo --user-domgroups SID`.
    UserDomgroups {
        /// Of a user.
        sid: String,
    },
}

impl Wbinfo {
    /// The program with its option, without arguments: `wbinfo --krb5auth`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ChangeSecret => "wbinfo --change-secret",
            Self::GetDcName { .. } => "wbinfo --getdcname",
            Self::Krb5Auth { .. } => "wbinfo --krb5auth",
            Self::NameToSid { .. } => "wbinfo --name-to-sid",
            Self::SidToGid { .. } => "wbinfo --sid-to-gid",
            Self::SidToName { .. } => "wbinfo --sid-to-name",
            Self::SidToUid { .. } => "wbinfo --sid-to-uid",
            Self::UidInfo { .. } => "wbinfo --uid-info",
            Self::UserDomgroups { .. } => "wbinfo --user-domgroups",
        }
    }
}

/// The DC of `net ads search` and `net ads sid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// `--server ADDRESS`.
    Address(IpAddr),
    /// `--server NAME`, which the host's resolver must know.
    Name(String),
    /// The program finds one of the joined domain.
    Unnamed,
}

impl From<IpAddr> for Server {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

/// Credentials of `net ads search` and `net ads sid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `--machine-pass`: the machine account of the host's secrets.
    Machine,
    /// Environment `USER` and `PASSWD`.
    User {
        /// Account name.
        user: String,
        /// Its password.
        password: Secret,
    },
}

/// What a program printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Exit status; 0 is success, 255 is what `net` returns on failure.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error: xapi's classification reads it.
    pub stderr: String,
}

impl Output {
    /// Whether the program ended with status 0.
    pub fn succeeded(&self) -> bool {
        self.exit == 0
    }
}

/// Pinned future of [`Programs::run`].
pub type Running<'a> = Pin<Box<dyn Future<Output = Output> + Send + 'a>>;

/// The Samba programs of one host.
pub trait Programs: fmt::Debug + Send + Sync {
    /// Runs one command to its end. `debug_level` is the clamped `-d` argument. What the program
    /// does on the network is recorded on `trail`.
    fn run<'a>(&'a self, command: SambaCommand, debug_level: u8, trail: &'a Trail) -> Running<'a>;
}
