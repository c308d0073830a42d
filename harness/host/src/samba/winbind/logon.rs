//! Logging on (`wbinfo --krb5auth`), and what winbind remembers of who has (`netsamlogon_cache.tdb`).
//!
//! winbind gets a ticket for the user, and with it one for the machine itself, in which the KDC says
//! who the user is and which groups it is in. What it has been told there it believes from then on,
//! until the user logs on again: no change in the directory shows before.

use std::collections::BTreeMap;

use fake_dc_kerberos::{
    Credential, ErrorCode, Keys, LogonInfo, PrincipalName, Salt,
    gss::{
        Acceptor, AcceptorConfig, BindingPolicy, GssFlags, Initiator, InitiatorConfig, Mechanism,
    },
};
use ground::{Clock, Secret, Stream};
use serde::{Deserialize, Serialize};

use super::{Winbind, accounts::AccountName, domains::DomainName};
use crate::{
    HostRoot,
    samba::{
        kerberos::{Cause, NoTicket},
        nt_status::NtStatus,
        values::sid_text,
    },
};

/// Stands for `netsamlogon_cache.tdb`.
const PATH: &str = "/var/cache/samba/netsamlogon_cache.json";
const MODE: u32 = 0o600;
/// SIDs that say how a user has logged on, of which winbind takes no notice.
const ASSERTED_IDENTITY: &str = "S-1-18-";
/// The KDC finds the password too old.
const EXPIRED: NoTicket = NoTicket::Login(Cause::Refused(ErrorCode::KDC_ERR_KEY_EXPIRED));
/// By how much clocks may differ: Heimdal's default, like that of AD.
const SKEW_SECONDS_MAX: i64 = 300;

/// What a KDC has said of a user at its last login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Logon {
    /// NetBIOS name of the user's domain.
    pub(super) domain: String,
    /// `sAMAccountName`.
    pub(super) account: String,
    pub(super) full_name: String,
    /// RID of the primary group.
    pub(super) primary_group: u32,
    /// SIDs: those of the domain, the primary one first, then others.
    pub(super) groups: Vec<String>,
}

type Logons = BTreeMap<String, Logon>;

fn load(root: &HostRoot) -> Logons {
    let content = root.read_if_present(PATH).ok().flatten();
    content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
}

impl Winbind<'_> {
    /// What is known of a user who has logged on here.
    pub(super) fn last_logon(&self, sid: &str) -> Option<Logon> {
        load(self.run.root()).remove(sid)
    }

    /// Logs a user on; what the KDC says of it is remembered.
    pub(in crate::samba) async fn log_on(
        &self,
        name: &str,
        password: &Secret,
    ) -> Result<(), NtStatus> {
        // A winbind that cannot show itself to its own domain takes it for absent.
        self.prove_itself().await.map_err(|_| NtStatus::NO_LOGON_SERVERS)?;
        let (domain, client) = self.client(name).await?;
        let context = self.run.context();
        let mut random = context.random();
        let own = context.kerberos(&self.own_domain().realm());
        let theirs = context.kerberos(&domain.realm());
        let mut first = theirs.kinit_as(client.clone(), password.clone(), &mut random).await;
        if first.as_ref().err() == Some(&EXPIRED) {
            // Heimdal tries to change the password, for which the old one must be right.
            let proven = theirs.proves_itself(client, password.clone(), &mut random).await;
            first = Err(proven.err().unwrap_or(EXPIRED));
        }
        let (granting, clock) = first.map_err(|reason| status(&reason))?;
        let granting = if domain == self.own_domain() {
            granting
        } else {
            let bridge = PrincipalName::ticket_granting(own.realm.as_str());
            theirs
                .ticket(&granting, bridge, &clock, &mut random)
                .await
                .map_err(|reason| status(&reason))?
        };
        let machine = PrincipalName::account(self.secrets.account().name);
        let ticket = own
            .ticket(&granting, machine, &clock, &mut random)
            .await
            .map_err(|reason| status(&reason))?;
        // Who does not know its own password cannot read what the KDC says of others.
        let info = self.open(ticket, &clock, &mut random).ok_or(NtStatus::LOGON_FAILURE)?;
        self.remember(&info);
        if domain != self.own_domain() {
            self.remember_domain(&domain.netbios, &domain.dns);
        }
        Ok(())
    }

    /// The domain of a user, and the user as its KDC is to know it.
    async fn client(&self, name: &str) -> Result<(DomainName, PrincipalName), NtStatus> {
        let own = self.own_domain();
        let (domain, name) = match AccountName::parse(name) {
            AccountName::Bare(account) => (Some(own), PrincipalName::account(account)),
            AccountName::OfDomain { domain, account } => {
                (self.domain_named(domain).await.ok().flatten(), PrincipalName::account(account))
            }
            AccountName::UserPrincipal(name) => {
                let suffix = name.rsplit_once('@').map_or("", |(_, suffix)| suffix);
                let domain = self.domain_named(suffix).await.ok().flatten();
                // One of AD's other suffixes: the own KDC knows, or knows who does.
                (Some(domain.unwrap_or(own)), PrincipalName::enterprise(name))
            }
        };
        Ok((domain.ok_or(NtStatus::NO_SUCH_USER)?, name))
    }

    /// Opens a ticket for this machine, as the machine.
    fn open(&self, ticket: Credential, clock: &Clock, random: &mut Stream) -> Option<LogonInfo> {
        let account = self.secrets.account();
        let salt = Salt::of_computer(&self.secrets.domain, &account.name);
        let service = ticket.service.clone();
        let wants = InitiatorConfig {
            mechanism: Mechanism::Gssapi,
            flags: GssFlags::default(),
            bindings: None,
        };
        let initiator = Initiator::new(ticket, wants, clock, random);
        let acceptor = Acceptor::new(AcceptorConfig {
            service,
            keys: vec![Keys::from_password(&account.password, salt, 1).into()],
            clock: clock.clone(),
            skew_seconds_max: SKEW_SECONDS_MAX,
            bindings: None,
            binding_policy: BindingPolicy::Off,
        });
        let accepted = acceptor.accept(initiator.initial(), random).ok()?;
        accepted.context.logon_info().cloned()
    }

    fn remember(&self, info: &LogonInfo) {
        let Some(sid) = sid_text(&info.sid()) else { return };
        let Some(domain) = sid_text(&info.domain_sid) else { return };
        let mut rids = vec![info.primary_group];
        rids.extend(info.groups.iter().filter(|&&rid| rid != info.primary_group));
        let mut groups: Vec<String> = rids.iter().map(|rid| format!("{domain}-{rid}")).collect();
        let others = info.extra_sids.iter().filter_map(|sid| sid_text(sid));
        groups.extend(others.filter(|sid| !sid.starts_with(ASSERTED_IDENTITY)));
        let logon = Logon {
            domain: info.netbios_domain.clone(),
            account: info.account.clone(),
            full_name: info.full_name.clone(),
            primary_group: info.primary_group,
            groups,
        };
        let mut logons = load(self.run.root());
        logons.insert(sid, logon);
        // The login is as good without.
        let content = serde_json::to_vec(&logons).unwrap_or_default();
        let _ = self.run.root().write(PATH, &content, MODE);
    }
}

/// What winbind says of a login that Kerberos refused (`krb5_to_nt_status` of Samba 4.22).
fn status(reason: &NoTicket) -> NtStatus {
    match reason {
        NoTicket::NoName => NtStatus::NO_LOGON_SERVERS,
        NoTicket::Login(Cause::Refused(ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN)) => {
            NtStatus::NO_SUCH_USER
        }
        NoTicket::Login(cause) | NoTicket::Service(cause) => cause.status(),
    }
}
