//! The domains that winbind knows: its own, and those that this one trusts.

use ldap_wire::{Filter, SearchRequest, SearchResultEntry};

use super::{Wbc, Winbind};
use crate::samba::{
    ads::{Context, FoundDc},
    console::Console,
    ldap::Ldap,
    searches::domain_search,
    values::{sid_bytes, sid_text},
};

/// Bit of `trustDirection`: this domain trusts the other (\[MS-ADTS\] 6.1.6.7.12).
const OUTBOUND: u32 = 2;

/// A domain by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DomainName {
    pub(super) netbios: String,
    pub(super) dns: String,
    pub(super) sid: String,
}

impl DomainName {
    /// Whether it goes by that name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.netbios.eq_ignore_ascii_case(name) || self.dns.eq_ignore_ascii_case(name)
    }

    /// The name of its Kerberos realm.
    pub(super) fn realm(&self) -> String {
        self.dns.to_uppercase()
    }

    /// The SID of its account with that number.
    pub(super) fn account(&self, rid: u32) -> String {
        format!("{}-{rid}", self.sid)
    }

    /// Whether this is the SID of one of its accounts.
    pub(super) fn has(&self, sid: &str) -> bool {
        sid.rsplit_once('-').is_some_and(|(domain, _)| domain == self.sid)
    }
}

/// A connection to a DC of one domain, as the machine.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) ldap: Ldap,
    pub(super) dc: FoundDc,
}

impl Connection {
    /// The entries that a filter finds in the domain; `None` if the DC does not answer it.
    pub(super) async fn find(
        &mut self,
        filter: Filter,
        attributes: &[&str],
    ) -> Option<Vec<SearchResultEntry>> {
        let names = attributes.iter().map(|name| (*name).to_owned()).collect();
        self.search(domain_search(&self.dc, filter, names)).await
    }

    pub(super) async fn search(
        &mut self,
        request: SearchRequest,
    ) -> Option<Vec<SearchResultEntry>> {
        let found = self.ldap.search(request).await.ok()?;
        found.result.is_success().then_some(found.entries)
    }

    pub(super) async fn close(self) {
        self.ldap.unbind().await;
    }
}

impl Winbind<'_> {
    /// What every question to the own domain begins with, over whatever protocol it goes on: a DC
    /// that answers the ping, and a ticket with which the machine shows itself to it.
    pub(super) async fn prove_itself(&self) -> Result<(), Wbc> {
        let dc = self.run.find_dc(&self.secrets.domain).await.ok_or(Wbc::NoDc)?;
        let context = self.run.context();
        let (machine, mut random) = (self.secrets.account(), context.random());
        let ticket = context.ticket_for("cifs", &dc.answer.dns_name, &machine, &mut random).await;
        ticket.map(drop).map_err(|_| Wbc::NoDc)
    }

    /// A sealed connection to a DC of a domain. A domain other than the own one is reached with a
    /// ticket that its KDC gives on the strength of one from here.
    pub(super) async fn connect(&self, domain: &DomainName) -> Result<Connection, Wbc> {
        let dc = self.run.find_dc(&domain.dns).await.ok_or(Wbc::NoDc)?;
        let context = Context {
            settings: &self.sealed,
            service_realm: Some(domain.realm()),
            ..self.run.context()
        };
        let account = self.secrets.account();
        // What winbind has to say goes to its own log.
        let mut log = Console::new(0);
        let ldap = context.connect_quietly(&dc, &account, &mut log).await.map_err(|_| Wbc::NoDc)?;
        Ok(Connection { ldap, dc })
    }

    /// The domain of that NetBIOS or DNS name: the own one, or one that it trusts; `None` if there
    /// is none.
    pub(super) async fn domain_named(&self, name: &str) -> Result<Option<DomainName>, Wbc> {
        let own = self.own_domain();
        if own.is(name) {
            return Ok(Some(own));
        }
        let equals = |attribute: &str| Filter::Equality {
            attribute: attribute.to_owned(),
            value: name.as_bytes().to_vec(),
        };
        self.trusted(Filter::Or(vec![equals("flatName"), equals("trustPartner")])).await
    }

    /// The domain that has that SID, or an account that has it.
    pub(super) async fn domain_of(&self, sid: &str) -> Result<Option<DomainName>, Wbc> {
        let own = self.own_domain();
        if own.has(sid) || own.sid == sid {
            return Ok(Some(own));
        }
        let domain = sid.rsplit_once('-').map_or("", |(domain, _)| domain);
        let equals = |value| Filter::Equality { attribute: "securityIdentifier".to_owned(), value };
        let either = [domain, sid].into_iter().filter_map(sid_bytes).map(equals).collect();
        self.trusted(Filter::Or(either)).await
    }

    async fn trusted(&self, which: Filter) -> Result<Option<DomainName>, Wbc> {
        let class = Filter::Equality {
            attribute: "objectClass".to_owned(),
            value: b"trustedDomain".to_vec(),
        };
        let mut connection = self.connect(&self.own_domain()).await?;
        let names = ["flatName", "trustPartner", "securityIdentifier", "trustDirection"];
        let found = connection.find(Filter::And(vec![class, which]), &names).await;
        connection.close().await;
        let found = found.ok_or(Wbc::NoDc)?;
        Ok(found.iter().find_map(trusted_domain))
    }
}

fn trusted_domain(entry: &SearchResultEntry) -> Option<DomainName> {
    let direction: u32 = text(entry, "trustDirection")?.parse().ok()?;
    (direction & OUTBOUND != 0).then_some(())?;
    Some(DomainName {
        netbios: text(entry, "flatName")?,
        dns: text(entry, "trustPartner")?,
        sid: sid_text(entry.values("securityIdentifier").first()?)?,
    })
}

/// The first value of an attribute as text.
pub(super) fn text(entry: &SearchResultEntry, attribute: &str) -> Option<String> {
    let value = entry.values(attribute).first()?;
    Some(String::from_utf8_lossy(value).into_owned())
}
