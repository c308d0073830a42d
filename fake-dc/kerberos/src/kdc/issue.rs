//! Making tickets and the answers that carry them.

use ground::{Stream, Timestamp};

use super::{Issued, Kdc, Refusal};
use crate::{
    crypto::{Key, Usage},
    db::{PrincipalDb, PrincipalEntry},
    message::{
        EncKdcRepPart, EncTicketPart, EncryptedData, ErrorCode, Exchange, KdcOptions, KdcRep,
        KdcReqBody, PaData, Ticket, TicketFlags, encode_pa_list,
    },
    pac::Pac,
    principal::{Principal, PrincipalName},
};

/// What was decided about a ticket before it is made.
pub(super) struct Grant<'a> {
    pub(super) exchange: Exchange,
    pub(super) client: Principal,
    pub(super) service: &'a PrincipalEntry,
    /// The session key of the service's own ticket, in place of a key of its password.
    pub(super) user_to_user: Option<&'a Key>,
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
    pub(super) encrypted_padata: Vec<PaData>,
    pub(super) addresses: Option<Vec<u8>>,
    pub(super) pac: Option<Pac>,
}

impl<D: PrincipalDb> Kdc<D> {
    pub(super) fn issue(
        &self,
        body: &KdcReqBody,
        grant: Grant<'_>,
        random: &mut Stream,
    ) -> Result<Issued, Refusal> {
        let now = self.now();
        let hints = (!grant.padata.is_empty()).then(|| encode_pa_list(&grant.padata));
        let latest_start = now.plus_seconds(self.policy.skew_seconds_max);
        if body.from.is_some_and(|from| from > latest_start) {
            let samba = Refusal { data: hints, ..Refusal::new(ErrorCode::KDC_ERR_POLICY) };
            return Err(if self.is_samba() {
                samba.saying("Ticket may not be postdateable")
            } else {
                Refusal::new(ErrorCode::KDC_ERR_CANNOT_POSTDATE)
            });
        }
        let till = requested(body.till);
        let ends = till.map_or(grant.ends_max, |till| till.min(grant.ends_max));
        if ends <= now {
            return Err(Refusal::new(ErrorCode::KDC_ERR_NEVER_VALID));
        }
        let renew_till = renew_till(body, &grant, ends);
        let unsupported = || Refusal::new(ErrorCode::KDC_ERR_ETYPE_NOSUPP);
        let service_keys = &grant.service.keys;
        let own_key = service_keys
            .all()
            .iter()
            .find(|key| grant.service.ticket_etypes.contains(&key.etype()));
        let service_key = grant.user_to_user.or(own_key).ok_or_else(unsupported)?;
        let service_kvno = grant.user_to_user.is_none().then(|| service_keys.version());

        let session_etype = self.choose_etype(&body.etypes, &grant.service.session_etypes)?;
        let session_key = Key::random(session_etype, random);
        let mut ticket_part = EncTicketPart {
            flags: self.flags(body, &grant, renew_till),
            key: session_key,
            crealm: grant.client.realm.clone(),
            cname: grant.client.name.clone(),
            authenticated: grant.authenticated,
            starts: Some(now),
            ends,
            renew_till,
            addresses: grant.addresses.clone(),
            pac: None,
        };
        let is_granting = grant.service.name.is_ticket_granting();
        let kdc_keys = self.own_keys();
        let kdc_key = kdc_keys.as_ref().and_then(|keys| keys.all().first());
        if let (Some(pac), Some(kdc_key)) = (grant.pac, kdc_key) {
            let pac = if is_granting { pac } else { pac.for_service() };
            ticket_part.pac = Some(pac.sign(&ticket_part, is_granting, service_key, kdc_key));
        }
        let sname = self.service_name(body, grant.service);
        let ticket = Ticket {
            realm: self.realm.clone(),
            sname: sname.clone(),
            encrypted: EncryptedData::seal(
                service_key,
                service_kvno,
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
            last_requests: self.last_requests(grant.exchange, grant.key_expires, now),
            addresses: grant.addresses,
            padata: grant.encrypted_padata,
        };
        let reply = KdcRep {
            padata: grant.padata,
            crealm: grant.client.realm,
            cname: grant.client.name,
            ticket,
            encrypted: EncryptedData::seal(
                grant.reply_key,
                grant.reply_key_version,
                grant.reply_usage,
                &reply_part.encode(grant.exchange),
                random,
            ),
        };
        Ok(Issued { bytes: reply.encode(grant.exchange), hints })
    }

    /// Names of services stay as the client wrote them, since that is what it compares with. The
    /// ticket-granting service of a domain has its realm's DNS name whatever was asked, also where it
    /// stands for a service of that domain.
    fn service_name(&self, body: &KdcReqBody, service: &PrincipalEntry) -> PrincipalName {
        match &body.sname {
            Some(asked) if !service.name.is_ticket_granting() => asked.clone(),
            Some(asked) if self.is_samba() && asked.is_ticket_granting() => asked.clone(),
            _ => service.name.clone(),
        }
    }

    /// Windows has one entry that says nothing; Heimdal tells when the password expires, whereupon
    /// `kinit` warns.
    fn last_requests(
        &self,
        exchange: Exchange,
        key_expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<(i32, Timestamp)> {
        const NONE: i32 = 0;
        const PASSWORD_EXPIRES: i32 = 6;
        match key_expires {
            _ if !self.is_samba() => vec![(NONE, now)],
            Some(time) if exchange == Exchange::As => vec![(PASSWORD_EXPIRES, time)],
            _ => vec![(NONE, Timestamp::from_unix(0))],
        }
    }

    fn flags(
        &self,
        body: &KdcReqBody,
        grant: &Grant<'_>,
        renew_till: Option<Timestamp>,
    ) -> TicketFlags {
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
        if grant.exchange == Exchange::Tgs {
            // Samba trusts its own ticket-granting service, too, and checks the way.
            let own = self.is_samba() && grant.service.name.is_ticket_granting();
            if grant.service.trusted_for_delegation || own {
                flags = flags.with(TicketFlags::OK_AS_DELEGATE);
            }
            if self.is_samba() {
                flags = flags.with(TicketFlags::TRANSITED_POLICY_CHECKED);
            }
        }
        flags
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
