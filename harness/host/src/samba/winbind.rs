//! The service `winbind` while it runs: what `winbindd` knows, and whom it asks.
//!
//! winbind speaks RPC (LSARPC, SAMR, NETLOGON), which the model has not. In its place stands LDAP on
//! port 389, sealed with the machine account whatever `client ldap sasl wrapping` says, so that an
//! LDAPS certificate that nobody trusts disturbs it no more than the real one. For KRBTGT, with which
//! xapi sees whether winbind is ready, there is no need to look: a DC that answers the ping, and a
//! KDC that lets the machine go there, are all it takes. Where the real winbind does speak LDAP, for
//! the groups of a user, the model speaks it as smb.conf says.
//!
//! What it keeps on the host are stand-ins for `autorid.tdb`, `gencache.tdb`, `netsamlogon_cache.tdb`
//! and `winbindd_cache.tdb`. It keeps no connection: a DC that goes, or a password that is no longer
//! right, is noticed at the next question and not when a connection ends. The real one keeps its RPC
//! connection to a DC until a call on it fails, then tries once more on a new one (`reconnect_methods`), and its
//! LDAP connection until the ticket with which it was made ends (`ads_cached_connection_reuse`); a new connection
//! takes new tickets. Measured behaviour: `fixtures/winbind`.

mod accounts;
mod cache;
mod domains;
mod idmap;
mod logon;
mod secret;
mod users;
mod well_known;

use std::fmt;

use self::domains::DomainName;
pub(super) use self::{
    accounts::{Account, Sid},
    cache::{begin, flush},
};
use super::{
    client::Run,
    commands::service,
    secrets::Secrets,
    smb_conf::{Settings, Wrapping},
};

/// Why winbind does not answer a question: the names of `wbcErr` that `wbinfo` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wbc {
    /// The domain or the account is not there.
    DomainNotFound,
    /// The text is no SID.
    InvalidParam,
    /// The text begins like a SID.
    InvalidSid,
    /// There is no DC that could be asked.
    NoDc,
    /// The domain knows no such name.
    NotMapped,
    /// The service does not run.
    WinbindNotAvailable,
}

impl fmt::Display for Wbc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DomainNotFound | Self::NoDc => "WBC_ERR_DOMAIN_NOT_FOUND",
            Self::InvalidParam => "WBC_ERR_INVALID_PARAM",
            Self::InvalidSid => "WBC_ERR_INVALID_SID",
            Self::NotMapped => "WBC_ERR_NOT_MAPPED",
            Self::WinbindNotAvailable => "WBC_ERR_WINBIND_NOT_AVAILABLE",
        })
    }
}

/// winbind at work on one question.
#[derive(Debug)]
pub(super) struct Winbind<'a> {
    run: &'a Run<'a>,
    secrets: Secrets,
    /// smb.conf, but with sealing.
    sealed: Settings,
}

impl<'a> Winbind<'a> {
    /// The service, if it runs.
    pub(super) fn of(run: &'a Run<'a>) -> Result<Self, Wbc> {
        if !service::answers(run) {
            return Err(Wbc::WinbindNotAvailable);
        }
        let secrets = Secrets::load(run.root()).ok_or(Wbc::DomainNotFound)?;
        let sealed = Settings { wrapping: Wrapping::Seal, ..run.settings.clone() };
        Ok(Self { run, secrets, sealed })
    }

    /// The domain that the host is a member of.
    fn own_domain(&self) -> DomainName {
        DomainName {
            netbios: self.secrets.workgroup.clone(),
            dns: self.secrets.domain.clone(),
            sid: self.secrets.domain_sid.clone(),
        }
    }

    /// NetBIOS name of the domain that the host is a member of.
    pub(super) fn workgroup(&self) -> &str {
        &self.secrets.workgroup
    }
}
