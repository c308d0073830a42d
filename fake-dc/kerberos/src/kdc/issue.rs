//! Making tickets and the answers that carry them.

use ground::{Stream, Timestamp};

use super::{Kdc, Refusal};
use crate::{
    crypto::{Key, Usage},
    db::{PrincipalDb, PrincipalEntry},
    message::{
        EncKdcRepPart, EncTicketPart, EncryptedData, ErrorCode, Exchange, KdcOptions, KdcRep,
        KdcReqBody, PaData, Ticket, TicketFlags,
    },
    principal::PrincipalName,
};

/// What was decided about a ticket before it is made.
pub(super) struct Grant<'a> {
    pub(super) exchange: Exchange,
    pub(super) client: PrincipalName,
    pub(super) service: &'a PrincipalEntry,
    /// Flags beside those that the client may choose.
    pub(super) flags: TicketFlags,
    pub(super) authenticated: Timestamp,
    pub(super) ends_max: Timestamp,
    pub(super) renew_till_max: Timestamp,
    pub(super) may_be_forwardable: bool,
    pub(super) may_be_renewable: bool,
    pub(super) reply_key: &'a Key,
    pub(super) reply_key_version: Option<u32>,
    pub(super) reply_usage: Usage,
    pub(super) key_expires: Option<Timestamp>,
    pub(super) padata: Vec<PaData>,
}

impl<D: PrincipalDb> Kdc<D> {
    pub(super) fn issue(
        &self,
        body: &KdcReqBody,
        grant: Grant<'_>,
        random: &mut Stream,
    ) -> Result<Vec<u8>, Refusal> {
        let now = self.now();
        let latest_start = now.plus_seconds(self.policy.skew_seconds_max);
        if body.from.is_some_and(|from| from > latest_start) {
            return Err(Refusal::new(ErrorCode::KDC_ERR_CANNOT_POSTDATE));
        }
        let till = requested(body.till);
        let ends = till.map_or(grant.ends_max, |till| till.min(grant.ends_max));
        if ends <= now {
            return Err(Refusal::new(ErrorCode::KDC_ERR_NEVER_VALID));
        }
        let renew_till = renew_till(body, &grant, ends);
        let unsupported = || Refusal::new(ErrorCode::KDC_ERR_ETYPE_NOSUPP);
        let service_keys = &grant.service.keys;
        let service_key = service_keys.all().first().ok_or_else(unsupported)?;

        let session_key = Key::random(self.choose_etype(&body.etypes)?, random);
        let ticket_part = EncTicketPart {
            flags: flags(body, &grant, renew_till),
            key: session_key,
            crealm: self.realm.clone(),
            cname: grant.client.clone(),
            authenticated: grant.authenticated,
            starts: Some(now),
            ends,
            renew_till,
        };
        let sname = self.service_name(body, grant.service);
        let ticket = Ticket {
            realm: self.realm.clone(),
            sname: sname.clone(),
            encrypted: EncryptedData::seal(
                service_key,
                Some(service_keys.version()),
                Usage::TICKET,
                &ticket_part.encode(),
                random,
            ),
        };
        let reply_part = EncKdcRepPart {
            key: ticket_part.key,
            nonce: body.nonce,
            key_expires: grant.key_expires,
            flags: ticket_part.flags,
            authenticated: grant.authenticated,
            starts: Some(now),
            ends,
            renew_till,
            srealm: self.realm.clone(),
            sname,
        };
        let reply = KdcRep {
            padata: grant.padata,
            crealm: self.realm.clone(),
            cname: grant.client,
            ticket,
            encrypted: EncryptedData::seal(
                grant.reply_key,
                grant.reply_key_version,
                grant.reply_usage,
                &reply_part.encode(grant.exchange, now),
                random,
            ),
        };
        Ok(reply.encode(grant.exchange))
    }

    /// Names of services stay as the client wrote them, since that is what it compares with. The
    /// ticket-granting service of a domain has its realm's DNS name whatever was asked.
    fn service_name(&self, body: &KdcReqBody, service: &PrincipalEntry) -> PrincipalName {
        match &body.sname {
            Some(asked) if !service.name.is_ticket_granting() => asked.clone(),
            _ => service.name.clone(),
        }
    }
}

/// The time that a client asked for: 1970 means as late as possible.
fn requested(time: Timestamp) -> Option<Timestamp> {
    (time.unix() > 0).then_some(time)
}

fn renew_till(body: &KdcReqBody, grant: &Grant<'_>, ends: Timestamp) -> Option<Timestamp> {
    if !grant.may_be_renewable {
        return None;
    }
    let asked = if body.options.has(KdcOptions::RENEWABLE) {
        body.renew_till.and_then(requested)
    } else if body.options.has(KdcOptions::RENEWABLE_OK) {
        // Only in place of a lifetime that was cut.
        Some(requested(body.till).filter(|&till| till > ends)?)
    } else {
        return None;
    };
    Some(asked.map_or(grant.renew_till_max, |asked| asked.min(grant.renew_till_max)))
}

fn flags(body: &KdcReqBody, grant: &Grant<'_>, renew_till: Option<Timestamp>) -> TicketFlags {
    let mut flags = grant.flags;
    if grant.may_be_forwardable {
        for (option, flag) in [
            (KdcOptions::FORWARDABLE, TicketFlags::FORWARDABLE),
            (KdcOptions::PROXIABLE, TicketFlags::PROXIABLE),
        ] {
            if body.options.has(option) {
                flags = flags.with(flag);
            }
        }
    }
    if renew_till.is_some() {
        flags = flags.with(TicketFlags::RENEWABLE);
    }
    flags
}
