//! The client's side of the exchanges with a KDC: what to send, and what an answer means.
//!
//! Asks like MIT Kerberos 1.20 and the client inside Samba 4.22: first without pre-authentication,
//! then with an encrypted timestamp.

mod authentication;
mod ticket_granting;

use std::fmt;

use ground::{Stream, Timestamp};
use rand::Rng as _;

pub use self::{
    authentication::{AsExchange, AsOutcome, ClientSecret},
    ticket_granting::TgsExchange,
};
use crate::{
    crypto::Key,
    der,
    error::Error,
    message::{
        ApReq, Authenticator, Checksum, EncKdcRepPart, EncryptedData, ErrorCode, KrbError, Ticket,
        TicketFlags,
    },
    principal::{Principal, PrincipalName},
};

/// A ticket, and what its owner knows about it. `Debug` hides the keys.
#[derive(Clone)]
pub struct Credential {
    /// Whose it is.
    pub client: Principal,
    /// What it is for.
    pub service: Principal,
    /// The key that its owner and the service share.
    pub session_key: Key,
    /// What it says of itself.
    pub flags: TicketFlags,
    /// When the owner proved itself.
    pub authenticated: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// Until when it can be renewed.
    pub renew_till: Option<Timestamp>,
    pub(crate) ticket: Ticket,
}

impl Credential {
    fn new(client: Principal, ticket: Ticket, part: EncKdcRepPart) -> Self {
        Self {
            client,
            service: Principal { name: part.sname, realm: part.srealm },
            session_key: part.key,
            flags: part.flags,
            authenticated: part.authenticated,
            ends: part.ends,
            renew_till: part.renew_till,
            ticket,
        }
    }

    /// The ticket shown, with proof that its owner shows it.
    pub(crate) fn show(&self, proof: Proof, random: &mut Stream) -> ApReq {
        let authenticator = Authenticator {
            crealm: self.client.realm.clone(),
            cname: self.client.name.clone(),
            checksum: Some(proof.checksum),
            time: proof.now,
            micros: micros(proof.now),
            subkey: proof.subkey,
            sequence: proof.sequence,
        };
        let usage = proof.usage;
        ApReq {
            options: proof.options,
            ticket: self.ticket.clone(),
            authenticator: EncryptedData::seal(
                &self.session_key,
                None,
                usage,
                &authenticator.encode(),
                random,
            ),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("client", &self.client.to_string())
            .field("service", &self.service.to_string())
            .field("flags", &self.flags)
            .field("ends", &self.ends.to_string())
            .finish_non_exhaustive()
    }
}

/// What goes into the authenticator beside a ticket.
pub(crate) struct Proof {
    pub(crate) now: Timestamp,
    pub(crate) usage: crate::crypto::Usage,
    pub(crate) options: u32,
    pub(crate) checksum: Checksum,
    pub(crate) subkey: Option<Key>,
    pub(crate) sequence: Option<u32>,
}

/// Microseconds within the second.
pub(crate) fn micros(time: Timestamp) -> i32 {
    // Less than a million.
    time.unix_micros().rem_euclid(1_000_000) as i32
}

/// The KRB-ERROR that an answer is, if it is one.
fn refusal(answer: &[u8]) -> Result<Option<KrbError>, Error> {
    if answer.first() == Some(&der::application(KrbError::TAG)) {
        return KrbError::read(answer).map(Some);
    }
    Ok(None)
}

/// The code of the error that an answer is; `None` if it is none, or cannot be read.
pub fn refusal_code(answer: &[u8]) -> Option<ErrorCode> {
    Some(refusal(answer).ok()??.code)
}

/// Checks what binds an answer to its request.
fn check_reply(part: &EncKdcRepPart, nonce: i64, service: &PrincipalName) -> Result<(), Error> {
    if part.nonce != nonce {
        return Err(Error::Unexpected { what: "nonce" });
    }
    if !part.sname.same(service) {
        return Err(Error::Unexpected { what: "service name" });
    }
    Ok(())
}

/// A positive Int32, which every implementation reads alike.
fn nonce(random: &mut Stream) -> i64 {
    i64::from(random.next_u32() >> 1)
}
