//! From a password to a ticket-granting ticket.

use std::sync::Arc;

use ground::{Clock, Secret, Stream, Timestamp};

use super::{Credential, check_reply, nonce, refusal};
use crate::{
    crypto::{DEFAULT_ROUNDS, Etype, Key, Usage},
    db::KeyCache,
    der::Reader,
    error::Error,
    limits,
    message::{
        EncKdcRepPart, EncryptedData, ErrorCode, EtypeInfo, Exchange, KdcOptions, KdcRep, KdcReq,
        KdcReqBody, PaData, PaTimestamp, pa, read_pa_list,
    },
    principal::{NameKind, Principal, PrincipalName},
};

/// What a client proves itself with.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// Keys of a keytab.
    Keys(Vec<Key>),
    /// A password; salt and iterations come from the KDC.
    Password(Secret),
    /// A password whose keys may have been made already.
    PasswordWithKeys(Secret, Arc<KeyCache>),
}

/// One exchange with the authentication service.
///
/// Send [`AsExchange::request`], give the answer to [`AsExchange::answer`], and go on as it says.
#[derive(Debug)]
pub struct AsExchange {
    secret: ClientSecret,
    clock: Clock,
    body: KdcReqBody,
    request: Vec<u8>,
    proven: bool,
    /// Whether a KDC whose clock differs is believed, once.
    believes_clock: bool,
}

/// What an answer of the authentication service means.
#[derive(Debug)]
pub enum AsOutcome {
    /// Here is the ticket.
    Ticket(Box<Credential>),
    /// Send [`AsExchange::request`] again: it is another one now.
    SendAgain,
    /// Send [`AsExchange::request`] again, over TCP.
    SendOverTcp,
}

impl AsExchange {
    /// Asks for a ticket-granting ticket for `client`.
    pub fn new(client: Principal, secret: ClientSecret, clock: Clock, random: &mut Stream) -> Self {
        let service = PrincipalName::ticket_granting(&client.realm);
        Self::for_service(client, service, secret, clock, random)
    }

    /// Asks for a ticket for `service` itself, such as [`PrincipalName::change_password`].
    pub fn for_service(
        client: Principal,
        service: PrincipalName,
        secret: ClientSecret,
        clock: Clock,
        random: &mut Stream,
    ) -> Self {
        let etypes = match &secret {
            ClientSecret::Keys(keys) => keys.iter().map(|key| key.etype().number()).collect(),
            ClientSecret::Password(_) | ClientSecret::PasswordWithKeys(..) => {
                Etype::ALL.map(Etype::number).to_vec()
            }
        };
        let body = KdcReqBody {
            options: KdcOptions::FORWARDABLE
                .with(KdcOptions::RENEWABLE)
                .with(KdcOptions::CANONICALIZE),
            cname: Some(client.name),
            realm: client.realm,
            sname: Some(service),
            from: None,
            till: Timestamp::from_unix(0),
            renew_till: Some(Timestamp::from_unix(0)),
            nonce: nonce(random),
            etypes,
            addresses: None,
            additional_tickets: Vec::new(),
        };
        let request = KdcReq::encode(Exchange::As, &[], &body);
        Self { secret, clock, body, request, proven: false, believes_clock: false }
    }

    /// Believes the KDC when it says that the clocks differ, as Heimdal and MIT do by default
    /// (`kdc_timesync`).
    #[must_use]
    pub fn believing_clock(mut self) -> Self {
        self.believes_clock = true;
        self
    }

    /// The clock of this exchange: the client's own, or what it makes of the KDC's.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The message to send.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes the answer to [`AsExchange::request`].
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the KDC's code, or the answer cannot be believed.
    pub fn answer(&mut self, answer: &[u8], random: &mut Stream) -> Result<AsOutcome, Error> {
        let Some(error) = refusal(answer)? else {
            return self.ticket(answer).map(|ticket| AsOutcome::Ticket(Box::new(ticket)));
        };
        match error.code {
            ErrorCode::KRB_ERR_RESPONSE_TOO_BIG => Ok(AsOutcome::SendOverTcp),
            ErrorCode::KDC_ERR_PREAUTH_REQUIRED if !self.proven => {
                let hints = error.data.as_deref().unwrap_or_default();
                let hints = read_pa_list(&mut Reader::new("METHOD-DATA", hints))?;
                let key = self.key(self.choose(&hints)?)?;
                let stamp = PaTimestamp { time: self.clock.now() }.encode();
                let proof = EncryptedData::seal(&key, None, Usage::TIMESTAMP, &stamp, random);
                let proof = PaData::new(pa::ENC_TIMESTAMP, proof.encode());
                self.request = KdcReq::encode(Exchange::As, &[proof], &self.body);
                self.proven = true;
                Ok(AsOutcome::SendAgain)
            }
            ErrorCode::KRB_AP_ERR_SKEW if self.believes_clock => {
                self.believes_clock = false;
                let ahead = error.time.unix() - self.clock.now().unix();
                self.clock = self.clock.offset_by(ahead);
                self.request = KdcReq::encode(Exchange::As, &[], &self.body);
                self.proven = false;
                Ok(AsOutcome::SendAgain)
            }
            code => Err(Error::Refused { code }),
        }
    }

    fn ticket(&self, answer: &[u8]) -> Result<Credential, Error> {
        let reply = KdcRep::read(Exchange::As, answer)?;
        let info = match self.choose(&reply.padata) {
            Ok(info) if info.etype == reply.encrypted.etype => info,
            _ => EtypeInfo { etype: reply.encrypted.etype, salt: None, rounds: None },
        };
        let plain = reply.encrypted.open(&self.key(info)?, Usage::AS_REP, "AS-REP")?;
        let part = EncKdcRepPart::read(&plain)?;
        let Some(service) = &self.body.sname else {
            return Err(Error::Unexpected { what: "service name" });
        };
        check_reply(&part, self.body.nonce, service)?;
        let asked = self.body.cname.as_ref();
        let canonical = self.body.options.has(KdcOptions::CANONICALIZE)
            || asked.is_some_and(|name| name.kind == NameKind::ENTERPRISE);
        if !canonical && asked != Some(&reply.cname) {
            return Err(Error::Unexpected { what: "client name" });
        }
        let client = Principal { name: reply.cname, realm: reply.crealm };
        Ok(Credential::new(client, reply.ticket, part))
    }

    /// The first kind of key that the KDC proposes and that this client can make.
    fn choose(&self, hints: &[PaData]) -> Result<EtypeInfo, Error> {
        let what = "pre-authentication";
        let info = hints.iter().find(|data| data.kind == pa::ETYPE_INFO2);
        let info = info.ok_or(Error::NoKey { what, found: 0 })?;
        let list = EtypeInfo::read_list(&info.value)?;
        let first = list.first().map_or(0, |entry| entry.etype);
        list.into_iter()
            .find(|entry| self.body.etypes.contains(&entry.etype))
            .ok_or(Error::NoKey { what, found: first })
    }

    fn key(&self, info: EtypeInfo) -> Result<Key, Error> {
        let missing = || Error::NoKey { what: "the client", found: info.etype };
        let etype = Etype::from_number(info.etype).ok_or_else(missing)?;
        match &self.secret {
            ClientSecret::Keys(keys) => {
                keys.iter().find(|key| key.etype() == etype).cloned().ok_or_else(missing)
            }
            ClientSecret::Password(password) | ClientSecret::PasswordWithKeys(password, _) => {
                let rounds = info.rounds.unwrap_or(DEFAULT_ROUNDS);
                if !(1..=limits::ROUNDS_MAX).contains(&rounds) {
                    return Err(Error::TooLarge {
                        what: "number of rounds",
                        found: usize::try_from(rounds).unwrap_or(usize::MAX),
                        limit: limits::ROUNDS_MAX as usize,
                    });
                }
                let salt = info.salt.unwrap_or_else(|| self.default_salt());
                if let (ClientSecret::PasswordWithKeys(_, made), DEFAULT_ROUNDS) =
                    (&self.secret, rounds)
                {
                    return made
                        .keys(password, &salt, 0)
                        .of(info.etype)
                        .cloned()
                        .ok_or_else(missing);
                }
                Ok(Key::from_password(etype, password, &salt, rounds))
            }
        }
    }

    /// Realm and name run together (RFC 4120, section 4).
    fn default_salt(&self) -> String {
        let name = self.body.cname.as_ref().map(|name| name.parts.concat());
        format!("{}{}", self.body.realm, name.unwrap_or_default())
    }
}
