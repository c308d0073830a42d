//! The ticket-granting service: from one ticket to another (RFC 4120, section 3.3).

use ground::{Stream, Timestamp};
use md5::{Digest as _, Md5};

use super::{Issued, Kdc, Refusal, authentication::check_not_revoked, issue::Grant};
use crate::{
    crypto::Usage,
    db::{PrincipalDb, PrincipalEntry},
    message::{
        ApReq, Authenticator, EncTicketPart, ErrorCode, Exchange, KdcOptions, KdcReq, KdcReqBody,
        Ticket, TicketFlags, pa,
    },
    pac::Pac,
    principal::Principal,
};

impl<D: PrincipalDb> Kdc<D> {
    pub(super) fn grant(
        &self,
        request: &KdcReq,
        client: &mut Option<String>,
        random: &mut Stream,
    ) -> Result<Issued, Refusal> {
        let body = &request.body;
        let shown = request
            .padata(pa::TGS_REQ)
            .ok_or(Refusal::new(ErrorCode::KDC_ERR_PADATA_TYPE_NOSUPP))?;
        let shown = ApReq::read(shown).map_err(|_| Refusal::new(ErrorCode::KRB_ERR_GENERIC))?;
        let ticket = self.ticket_granting_ticket(&shown.ticket)?;
        *client = Some(ticket.cname.to_string());
        let authenticator = self.authenticator(&shown, &ticket, request)?;
        self.check_ticket_times(&ticket)?;
        if !self.is_own_realm(&body.realm) {
            return Err(Refusal::new(ErrorCode::KDC_ERR_WRONG_REALM));
        }
        if request.padata(pa::FOR_USER).is_some() {
            return Err(Refusal::new(ErrorCode::KDC_ERR_PADATA_TYPE_NOSUPP));
        }
        self.check_account_again(&ticket)?;

        let asked = |option| body.options.has(option);
        let has = |flag| ticket.flags.has(flag);
        let refused = asked(KdcOptions::CNAME_IN_ADDITIONAL_TICKET)
            || asked(KdcOptions::VALIDATE)
            || (asked(KdcOptions::FORWARDED) && !has(TicketFlags::FORWARDABLE))
            || (asked(KdcOptions::PROXY) && !has(TicketFlags::PROXIABLE))
            || (asked(KdcOptions::RENEW) && !has(TicketFlags::RENEWABLE));
        if refused {
            return Err(Refusal::new(ErrorCode::KDC_ERR_BADOPTION));
        }
        let other = match asked(KdcOptions::ENCRYPTED_IN_SESSION_KEY) {
            true => Some(self.other_ticket(body)?),
            false => None,
        };
        let service = match &other {
            Some((service, _)) => service.clone(),
            None => self.service_or_referral(body)?,
        };
        if !self.is_own_realm(&ticket.crealm) {
            self.check_foreign(body, &service)?;
        }
        if asked(KdcOptions::RENEW) && !service.name.is_ticket_granting() {
            return Err(Refusal::new(ErrorCode::KDC_ERR_BADOPTION));
        }
        let mut flags = TicketFlags(ticket.flags.0 & KEPT.0);
        for (option, flag) in [
            (KdcOptions::FORWARDED, TicketFlags::FORWARDED),
            (KdcOptions::PROXY, TicketFlags::PROXY),
        ] {
            if asked(option) {
                flags = flags.with(flag);
            }
        }
        let (ends_max, renew_till_max) = self.lifetime(&ticket, asked(KdcOptions::RENEW))?;
        let (reply_key, reply_usage) = match &authenticator.subkey {
            Some(subkey) => (subkey, Usage::TGS_REP_SUBKEY),
            None => (&ticket.key, Usage::TGS_REP),
        };
        let grant = Grant {
            exchange: Exchange::Tgs,
            client: Principal { name: ticket.cname.clone(), realm: ticket.crealm.clone() },
            service: &service,
            user_to_user: other.as_ref().map(|(_, ticket)| &ticket.key),
            flags,
            authenticated: ticket.authenticated,
            ends_max,
            renew_till_max,
            may_be_forwardable: has(TicketFlags::FORWARDABLE),
            may_be_renewable: has(TicketFlags::RENEWABLE),
            reply_key,
            reply_key_version: None,
            reply_usage,
            key_expires: None,
            padata: Vec::new(),
            encrypted_padata: Vec::new(),
            addresses: if asked(KdcOptions::FORWARDED) || asked(KdcOptions::PROXY) {
                body.addresses.clone().filter(|_| self.is_samba())
            } else {
                ticket.addresses.clone()
            },
            pac: ticket.pac.as_deref().and_then(Pac::read),
        };
        self.issue(body, grant, random)
    }

    /// User to user: the account that a request asks a ticket for, and its own ticket, whose key
    /// the new one is sealed with.
    fn other_ticket(&self, body: &KdcReqBody) -> Result<(PrincipalEntry, EncTicketPart), Refusal> {
        let bad_option = || Refusal::new(ErrorCode::KDC_ERR_BADOPTION);
        let shown = body.additional_tickets.first().ok_or_else(bad_option)?;
        let ticket = self.ticket_granting_ticket(shown)?;
        self.check_ticket_times(&ticket)?;
        let unknown = || Refusal::new(ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN);
        let asked = body.sname.as_ref().ok_or_else(unknown)?;
        let service = self.db.lookup(asked).ok_or_else(unknown)?;
        let owner = match self.is_own_realm(&ticket.crealm) {
            true => self.db.lookup_client(&ticket.cname),
            false => None,
        };
        if owner.is_none_or(|owner| owner.name != service.name) {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_BADMATCH));
        }
        Ok((service, ticket))
    }

    /// Opens the ticket that a client shows.
    fn ticket_granting_ticket(&self, shown: &Ticket) -> Result<EncTicketPart, Refusal> {
        let not_us = || Refusal::new(ErrorCode::KRB_AP_ERR_NOT_US);
        if !shown.sname.is_ticket_granting() {
            return Err(not_us());
        }
        if !self.is_own_realm(&shown.realm) {
            return self.ticket_of_partner(shown);
        }
        let own = self.db.lookup(&shown.sname).ok_or_else(not_us)?;
        // What no key of ours opens was not made by us.
        let modified = || Refusal::new(ErrorCode::KRB_AP_ERR_MODIFIED);
        let encrypted = &shown.encrypted;
        let key = own.keys.of(encrypted.etype).ok_or_else(modified)?;
        let plain = encrypted.open(key, Usage::TICKET, "ticket").map_err(|_| modified())?;
        EncTicketPart::read(&plain).map_err(|_| modified())
    }

    fn authenticator(
        &self,
        shown: &ApReq,
        ticket: &EncTicketPart,
        request: &KdcReq,
    ) -> Result<Authenticator, Refusal> {
        let bad = || Refusal::new(ErrorCode::KRB_AP_ERR_BAD_INTEGRITY);
        let usage = Usage::TGS_REQ_AUTHENTICATOR;
        let plain =
            shown.authenticator.open(&ticket.key, usage, "authenticator").map_err(|_| bad())?;
        let authenticator = Authenticator::read(&plain).map_err(|_| bad())?;
        if !authenticator.cname.same(&ticket.cname)
            || !authenticator.crealm.eq_ignore_ascii_case(&ticket.crealm)
        {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_BADMATCH));
        }
        if !self.is_within_skew(authenticator.time) {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_SKEW));
        }
        let inappropriate = || Refusal::new(ErrorCode::KRB_AP_ERR_INAPP_CKSUM);
        let checksum = authenticator.checksum.as_ref().ok_or_else(inappropriate)?;
        let body = &request.body_bytes;
        let holds = if checksum.kind == ticket.key.etype().checksum_number() {
            ticket.key.verify(Usage::TGS_REQ_CHECKSUM, &[body], &checksum.bytes)
        } else if checksum.kind == RSA_MD5 {
            Md5::digest(body).as_slice() == checksum.bytes
        } else {
            return Err(inappropriate());
        };
        if holds { Ok(authenticator) } else { Err(Refusal::new(ErrorCode::KRB_AP_ERR_MODIFIED)) }
    }

    fn check_ticket_times(&self, ticket: &EncTicketPart) -> Result<(), Refusal> {
        let now = self.now();
        let skew = self.policy.skew_seconds_max;
        let starts = ticket.starts.unwrap_or(ticket.authenticated);
        if starts > now.plus_seconds(skew) || ticket.flags.has(TicketFlags::INVALID) {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_TKT_NYV));
        }
        if ticket.ends.plus_seconds(skew) < now {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_TKT_EXPIRED));
        }
        Ok(())
    }

    /// Looks at the client's account once more when its ticket is no longer fresh.
    fn check_account_again(&self, ticket: &EncTicketPart) -> Result<(), Refusal> {
        let age = self.now().unix() - ticket.authenticated.unix();
        // The accounts of partners are their business.
        if age <= self.policy.account_check_seconds || !self.is_own_realm(&ticket.crealm) {
            return Ok(());
        }
        let gone = || Refusal::new(ErrorCode::KDC_ERR_CLIENT_REVOKED);
        check_not_revoked(&self.db.lookup_client(&ticket.cname).ok_or_else(gone)?)
    }

    /// How long the new ticket may live, and until when it may be renewed.
    fn lifetime(
        &self,
        ticket: &EncTicketPart,
        renewing: bool,
    ) -> Result<(Timestamp, Timestamp), Refusal> {
        let now = self.now();
        let renew_till = ticket.renew_till.unwrap_or(ticket.ends);
        if !renewing {
            let longest = now.plus_seconds(self.policy.ticket_seconds_max);
            return Ok((ticket.ends.min(longest), renew_till));
        }
        if renew_till <= now {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_TKT_EXPIRED));
        }
        let starts = ticket.starts.unwrap_or(ticket.authenticated);
        let ends = now.plus_seconds(ticket.ends.unix() - starts.unix());
        Ok((ends.min(renew_till), renew_till))
    }
}

/// Unkeyed, and still sent by Heimdal and Windows within the encrypted authenticator.
const RSA_MD5: i32 = 7;

/// Flags that every ticket inherits from that which it was made of.
const KEPT: TicketFlags = TicketFlags::PRE_AUTHENTICATED.with(TicketFlags::FORWARDED);
