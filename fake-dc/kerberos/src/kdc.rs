//! The key distribution centre: requests in, answers out.
//!
//! Behaves like that of Windows Server 2022 ([MS-KILE]) where that is documented, or like that of a
//! Samba AD DC 4.22 (Heimdal), as compared with a live one. Neither gives PKINIT, although both
//! propose it, nor delegation on behalf of others (S4U).

mod authentication;
mod cross_realm;
mod issue;
mod ticket_granting;

use std::sync::Arc;

use ground::{Clock, Stream, Timestamp, Transport};

use crate::{
    crypto::Etype,
    db::{Keys, PrincipalDb},
    der,
    error::Error,
    limits,
    message::{ErrorCode, Exchange, KdcReq, KrbError},
    principal::{Principal, PrincipalName},
};

/// A KDC of one realm.
#[derive(Clone, Debug)]
pub struct Kdc<D> {
    realm: String,
    netbios: String,
    db: D,
    clock: Clock,
    policy: KdcPolicy,
}

/// What a realm allows. The defaults are those of a new Active Directory domain (Default Domain
/// Policy, Kerberos Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KdcPolicy {
    /// Whose KDC it is.
    pub flavour: KdcFlavour,
    /// By how much clocks may differ.
    pub skew_seconds_max: i64,
    /// How long a ticket lives at most.
    pub ticket_seconds_max: i64,
    /// For how long it can be renewed.
    pub renew_seconds_max: i64,
    /// Age of a ticket-granting ticket from which the account is looked at again ([MS-KILE]
    /// 3.3.5.7.1).
    pub account_check_seconds: i64,
    /// Encryption types that this KDC uses.
    pub etypes: Vec<Etype>,
    /// Largest answer in a datagram.
    pub datagram_answer_bytes_max: usize,
}

impl Default for KdcPolicy {
    fn default() -> Self {
        Self {
            flavour: KdcFlavour::default(),
            skew_seconds_max: 300,
            ticket_seconds_max: 36_000,
            renew_seconds_max: 604_800,
            account_check_seconds: 1_200,
            etypes: Etype::ALL.to_vec(),
            datagram_answer_bytes_max: limits::DATAGRAM_ANSWER_BYTES_MAX,
        }
    }
}

/// Whose answers a KDC gives where products differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KdcFlavour {
    /// That of a Samba AD DC 4.22: Heimdal with Samba's database.
    Samba,
    /// That of Windows Server 2022.
    #[default]
    Windows,
}

/// What a KDC sends, and what was decided.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The message to send.
    pub bytes: Vec<u8>,
    /// What it is about, for a record.
    pub summary: Summary,
}

/// A request and its outcome, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// `AS-REQ` or `TGS-REQ`.
    pub request: &'static str,
    /// Who asks, as far as that became known.
    pub client: Option<String>,
    /// For which service.
    pub service: Option<String>,
    /// The code of the KRB-ERROR; `None` if the answer is a ticket.
    pub error: Option<ErrorCode>,
}

impl Summary {
    /// What a message asks for, before it is answered. The client of a TGS-REQ is in its ticket,
    /// and not known yet.
    ///
    /// # Errors
    ///
    /// As [`Kdc::answer`].
    pub fn of_request(request: &[u8]) -> Result<Self, Error> {
        let (exchange, request) = read(request)?;
        Ok(summary(exchange, &request))
    }
}

/// Why there is no ticket.
#[derive(Debug)]
struct Refusal {
    code: ErrorCode,
    /// Heimdal's words. Windows says none.
    text: Option<&'static str>,
    data: Option<Vec<u8>>,
    /// The realm to ask instead.
    client_realm: Option<String>,
}

impl Refusal {
    const fn new(code: ErrorCode) -> Self {
        Self { code, text: None, data: None, client_realm: None }
    }

    /// A referral of the client to its own realm (RFC 6806, section 7).
    fn referring_to(realm: String) -> Self {
        Self { client_realm: Some(realm), ..Self::new(ErrorCode::KDC_ERR_WRONG_REALM) }
    }

    fn with_data(code: ErrorCode, data: Vec<u8>) -> Self {
        Self { data: Some(data), ..Self::new(code) }
    }

    fn saying(self, text: &'static str) -> Self {
        Self { text: Some(text), ..self }
    }
}

/// An answer with a ticket.
struct Issued {
    bytes: Vec<u8>,
    /// Which key it is made with, as told to a client for which it is too large.
    hints: Option<Vec<u8>>,
}

impl<D: PrincipalDb> Kdc<D> {
    /// The KDC of the domain with these names.
    pub fn new(domain: &str, netbios: &str, db: D, clock: Clock) -> Self {
        Self {
            realm: domain.to_uppercase(),
            netbios: netbios.to_owned(),
            db,
            clock,
            policy: KdcPolicy::default(),
        }
    }

    /// With another policy.
    #[must_use]
    pub fn policy(mut self, policy: KdcPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Its realm: the DNS name of the domain in capitals.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Answers one message. Session keys and confounders come from `random`.
    ///
    /// # Errors
    ///
    /// The bytes are no request. A KDC does not answer that.
    pub fn answer(
        &self,
        request: &[u8],
        transport: Transport,
        random: &mut Stream,
    ) -> Result<Answer, Error> {
        let (exchange, request) = read(request)?;
        let mut summary = summary(exchange, &request);
        let outcome = if request.version != 5 {
            Err(Refusal::new(ErrorCode::KDC_ERR_BAD_PVNO))
        } else {
            match exchange {
                Exchange::As => self.authenticate(&request, random),
                Exchange::Tgs => self.grant(&request, &mut summary.client, random),
            }
        };
        let outcome = outcome.and_then(|Issued { bytes, hints }| {
            let too_big = bytes.len() > self.policy.datagram_answer_bytes_max;
            if transport == Transport::Udp && too_big {
                let data = hints.filter(|_| self.is_samba());
                let refusal = Refusal::new(ErrorCode::KRB_ERR_RESPONSE_TOO_BIG);
                return Err(Refusal { data, ..refusal }.saying("Reply packet too large"));
            }
            Ok(bytes)
        });
        let bytes = outcome.unwrap_or_else(|refusal| {
            summary.error = Some(refusal.code);
            self.error(&request, summary.client.as_deref(), &refusal)
        });
        Ok(Answer { bytes, summary })
    }

    /// Answers one message with that error, whatever it asks for.
    ///
    /// # Errors
    ///
    /// As [`Kdc::answer`].
    pub fn refuse(&self, request: &[u8], code: ErrorCode) -> Result<Answer, Error> {
        let (exchange, request) = read(request)?;
        let summary = Summary { error: Some(code), ..summary(exchange, &request) };
        Ok(Answer { bytes: self.error(&request, None, &Refusal::new(code)), summary })
    }

    /// Heimdal repeats who asks, and says why in words.
    fn error(&self, request: &KdcReq, ticket_of: Option<&str>, refusal: &Refusal) -> Vec<u8> {
        let sname = request.body.sname.clone();
        let of_ticket = || Some(PrincipalName::account(ticket_of?));
        let client = request.body.cname.clone().or_else(of_ticket);
        let is_told = self.is_samba() || refusal.client_realm.is_some();
        let realm = refusal.client_realm.as_ref().unwrap_or(&request.body.realm);
        let client = client.map(|name| Principal { name, realm: realm.clone() });
        KrbError {
            time: self.clock.now(),
            code: refusal.code,
            realm: self.realm.clone(),
            sname: sname.unwrap_or_else(|| PrincipalName::ticket_granting(&self.realm)),
            client: client.filter(|_| is_told),
            text: refusal.text.filter(|_| self.is_samba()).map(str::to_owned),
            data: refusal.data.clone(),
        }
        .encode()
    }

    /// The present, in the whole seconds of tickets.
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now().unix())
    }

    fn is_within_skew(&self, time: Timestamp) -> bool {
        (time.unix() - self.now().unix()).abs() <= self.policy.skew_seconds_max
    }

    fn is_samba(&self) -> bool {
        self.policy.flavour == KdcFlavour::Samba
    }

    /// A DC answers to the DNS name of its domain and to the NetBIOS name, in any letter case.
    fn is_own_realm(&self, realm: &str) -> bool {
        realm.eq_ignore_ascii_case(&self.realm) || realm.eq_ignore_ascii_case(&self.netbios)
    }

    /// The strongest encryption type that the client and `others` have.
    fn choose_etype(&self, offered: &[i32], others: &[Etype]) -> Result<Etype, Refusal> {
        Etype::ALL
            .into_iter()
            .filter(|etype| self.policy.etypes.contains(etype) && others.contains(etype))
            .find(|etype| offered.contains(&etype.number()))
            .ok_or(Refusal::new(ErrorCode::KDC_ERR_ETYPE_NOSUPP))
    }

    /// The keys of the ticket-granting service, which sign every PAC.
    fn own_keys(&self) -> Option<Arc<Keys>> {
        Some(self.db.lookup(&PrincipalName::ticket_granting(&self.realm))?.keys)
    }
}

fn read(request: &[u8]) -> Result<(Exchange, KdcReq), Error> {
    let is_tgs = request.first() == Some(&der::application(12));
    let exchange = if is_tgs { Exchange::Tgs } else { Exchange::As };
    Ok((exchange, KdcReq::read(exchange, request)?))
}

fn summary(exchange: Exchange, request: &KdcReq) -> Summary {
    Summary {
        request: match exchange {
            Exchange::As => "AS-REQ",
            Exchange::Tgs => "TGS-REQ",
        },
        client: request.body.cname.as_ref().map(ToString::to_string),
        service: request.body.sname.as_ref().map(ToString::to_string),
        error: None,
    }
}
