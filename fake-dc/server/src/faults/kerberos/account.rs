use std::sync::Arc;

use fake_dc_directory::Reply;
use fake_dc_kerberos::AccountState;
use ldap_wire::{Authentication, LdapResult, ProtocolOp, ResultCode};

use crate::{
    exchange::Asked,
    facts::Listener,
    faults::{FaultInfo, ServerFault, refuse, values},
    kdc::Found,
};

/// The KDC finds accounts in another state than the directory tells.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    change: fn(&mut Found<'_>),
    whose: Whose,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    Anybody,
    Computers,
    This(String),
}

pub(crate) const PRINCIPAL_UNKNOWN: Account = Account {
    id: "kerberos.principal-unknown",
    summary: "the KDC does not know the account",
    cause: "the account was made on another DC and has not been replicated to this one",
    drawing: "client → KDC   AS-REQ for alice\n\
              KDC → client   6 KDC_ERR_C_PRINCIPAL_UNKNOWN",
    change: |found| found.entry = None,
    whose: Whose::Anybody,
};

pub(crate) const PREAUTH_FAILED: Account = Account {
    id: "kerberos.preauth-failed",
    summary: "the KDC takes no password for the right one",
    cause: "the password was changed, and the client or this DC still has the old one",
    drawing: "client → KDC   AS-REQ\n\
              KDC → client   25 KDC_ERR_PREAUTH_REQUIRED\n\
              client → KDC   AS-REQ, timestamp encrypted with the key of the password\n\
              KDC → client   24 KDC_ERR_PREAUTH_FAILED",
    change: |found| found.have_other_keys(),
    whose: Whose::Anybody,
};

pub(crate) const ACCOUNT_REVOKED: Account = Account {
    id: "kerberos.account-revoked",
    summary: "the KDC finds the account disabled",
    cause: "somebody disabled the account, or a clean-up of stale machine accounts did",
    drawing: "client → KDC   AS-REQ for alice\n\
              KDC → client   18 KDC_ERR_CLIENT_REVOKED, STATUS_ACCOUNT_DISABLED",
    change: |found| found.be(AccountState::Disabled),
    whose: Whose::Anybody,
};

pub(crate) const PASSWORD_EXPIRED: Account = Account {
    id: "kerberos.password-expired",
    summary: "the KDC finds the password of the account expired",
    cause: "the password of the service account was not renewed in time",
    drawing: "client → KDC   AS-REQ, encrypted timestamp\n\
              KDC → client   23 KDC_ERR_KEY_EXPIRED, STATUS_PASSWORD_EXPIRED",
    change: |found| found.be(AccountState::PasswordExpired),
    whose: Whose::Anybody,
};

/// The DC has old passwords of computers, for Kerberos and for binds alike.
pub(crate) const MACHINE_PASSWORD_NOT_REPLICATED: Account = Account {
    id: "kerberos.machine-password-not-replicated",
    summary: "the DC has an old password of every machine account",
    cause: "the host changed its password at another DC, and replication is broken or takes hours",
    drawing: "client → KDC   AS-REQ for XS1$, timestamp encrypted with the new key\n\
              KDC → client   24 KDC_ERR_PREAUTH_FAILED\n\
              client → DC    bind as XS1$ with the new password\n\
              DC → client    49 invalidCredentials, … data 52e",
    change: |found| found.have_other_keys(),
    whose: Whose::Computers,
};

impl Account {
    fn is_meant(&self, name: &str) -> bool {
        match &self.whose {
            Whose::Anybody => true,
            Whose::Computers => name.ends_with('$'),
            Whose::This(this) => name.eq_ignore_ascii_case(this),
        }
    }
}

impl ServerFault for Account {
    fn info(&self) -> FaultInfo {
        let info = FaultInfo::new(self.id, self.summary, self.cause, self.drawing);
        match self.whose {
            Whose::Computers => info.at(&[
                Listener::Gc,
                Listener::Gcs,
                Listener::Kdc,
                Listener::Ldap,
                Listener::Ldaps,
            ]),
            Whose::Anybody | Whose::This(_) => {
                info.taking("the name of the account; all by default").at(&[Listener::Kdc])
            }
        }
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        let whose = Whose::This(values::word(value)?);
        Some(Arc::new(Self { whose, ..self.clone() }))
    }

    fn kdc_finds(&self, found: &mut Found<'_>) {
        if found.account().is_some_and(|name| self.is_meant(name)) {
            (self.change)(found);
        }
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        let ProtocolOp::BindRequest(bind) = &asked.message.op else { return None };
        let name = match &bind.authentication {
            Authentication::Simple(_) => bind.name.clone(),
            Authentication::Sasl { mechanism, credentials } if mechanism == "PLAIN" => {
                let mut parts = credentials.as_deref()?.split(|&byte| byte == 0);
                String::from_utf8_lossy(parts.nth(1)?).into_owned()
            }
            Authentication::Sasl { .. } | Authentication::Other { .. } => return None,
        };
        if self.whose != Whose::Computers || !is_computer(&name) {
            return None;
        }
        refuse(asked.message, LdapResult::new(ResultCode::INVALID_CREDENTIALS, WRONG_PASSWORD))
    }
}

/// Whether the name of a bind, `XS1$@corp.example` or `CORP\XS1$`, is that of a computer's account.
fn is_computer(name: &str) -> bool {
    let name = name.split_once('\\').map_or(name, |(_, account)| account);
    name.split_once('@').map_or(name, |(account, _)| account).ends_with('$')
}

const WRONG_PASSWORD: &str =
    "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4f7c";
