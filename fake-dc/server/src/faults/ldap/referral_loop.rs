use std::sync::Arc;

use fake_dc_directory::{Reply, Then};
use ldap_wire::{LdapMessage, LdapResult, ProtocolOp, ResultCode};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// A search of the directory is answered with a referral that leads back: to the domain, by whose
/// name a client comes to this DC or to another that says the same; or to a host that is named.
#[derive(Debug)]
pub(crate) struct ReferralLoop {
    to: To,
}

#[derive(Clone, Debug)]
enum To {
    Domain,
    Itself,
    /// Host, and port where it is not the standard one.
    Host(String),
}

impl ReferralLoop {
    pub(crate) const USUAL: Self = Self { to: To::Domain };

    fn host(&self, asked: &Asked<'_>) -> String {
        match &self.to {
            To::Domain => asked.dc.domain.name.clone(),
            To::Itself => asked.dc.dns_name().to_owned(),
            To::Host(host) => host.clone(),
        }
    }
}

impl ServerFault for ReferralLoop {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.referral-loop",
            "searches are answered with a referral that leads back to the domain",
            "the domain's partition was removed from the DC while DNS still leads clients to it",
            "client → DC   search below DC=corp,DC=example\n\
             DC → client   10 referral, ldap://corp.example/DC=corp,DC=example\n\
             client → DC   the same search, if it follows referrals, until it has had enough",
        )
        .taking(
            "where the referral leads: `domain`, `self`, or a host such as `dc2.corp.example` or \
             `127.0.0.11:389`; `domain` by default",
        )
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let to = match value {
            "domain" => To::Domain,
            "self" => To::Itself,
            host if !host.is_empty() && host.chars().all(allowed) => To::Host(host.to_owned()),
            _ => return None,
        };
        Some(Arc::new(Self { to }))
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        let base = &asked.search()?.base;
        let host = self.host(asked);
        let result = LdapResult {
            code: ResultCode::REFERRAL,
            diagnostic: format!(
                "0000202B: RefErr: DSID-03100781, data 0, 1 access points\n\tref 1: '{host}'\n"
            ),
            referrals: vec![format!("ldap://{host}/{base}")],
            ..LdapResult::default()
        };
        let done = LdapMessage::new(asked.message.id, ProtocolOp::SearchResultDone(result));
        Some(Reply { messages: vec![done], then: Then::Continue })
    }
}
