//! Between realms: users of a partner who come here, and users of this realm who go there
//! (RFC 4120, section 1.2; RFC 6806, section 8).
//!
//! Trusts are taken to be direct: a client comes from the realm that has made its ticket, and goes
//! on to no third one. So no realm is ever passed through, and none is in `transited`.

use super::{Kdc, Refusal};
use crate::{
    crypto::Usage,
    db::{Partner, PrincipalDb, PrincipalEntry},
    message::{EncTicketPart, ErrorCode, KdcOptions, KdcReqBody, Ticket},
    pac::Pac,
};

impl<D: PrincipalDb> Kdc<D> {
    /// The service that a request asks a ticket for, or the ticket-granting service of the partner
    /// that has it, to clients that ask for referrals.
    pub(super) fn service_or_referral(&self, body: &KdcReqBody) -> Result<PrincipalEntry, Refusal> {
        let refused = match self.service(body.sname.as_ref()) {
            Err(refused) if refused.code == ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN => refused,
            found => return found,
        };
        let Some(asked) = &body.sname else { return Err(refused) };
        let partner = match asked.parts.as_slice() {
            [_, realm] if asked.is_ticket_granting() => self.db.partner(realm),
            _ if body.options.has(KdcOptions::CANONICALIZE) => self.db.partner_of(asked),
            _ => None,
        };
        partner.and_then(|partner| partner.ticket_granting()).ok_or(refused)
    }

    /// Opens the ticket with which a partner has sent one of its users.
    pub(super) fn ticket_of_partner(&self, shown: &Ticket) -> Result<EncTicketPart, Refusal> {
        let not_us = || Refusal::new(ErrorCode::KRB_AP_ERR_NOT_US);
        let is_for_us = matches!(shown.sname.parts.as_slice(), [_, to] if self.is_own_realm(to));
        let partner = self.db.partner(&shown.realm).filter(|_| is_for_us).ok_or_else(not_us)?;
        // A partner that this realm does not trust has no key here.
        let keys = partner.incoming.as_ref().ok_or_else(not_us)?;
        let modified = || Refusal::new(ErrorCode::KRB_AP_ERR_MODIFIED);
        let key = keys.of(shown.encrypted.etype).ok_or_else(modified)?;
        let plain = shown.encrypted.open(key, Usage::TICKET, "ticket").map_err(|_| modified())?;
        let ticket = EncTicketPart::read(&plain).map_err(|_| modified())?;
        if !ticket.crealm.eq_ignore_ascii_case(&partner.realm) {
            return Err(Refusal::new(ErrorCode::KDC_ERR_PATH_NOT_ACCEPTED));
        }
        filtered(ticket, &partner)
    }

    /// What is for a realm's own users alone: to go on to a third realm, and to renew a ticket.
    pub(super) fn check_foreign(
        &self,
        body: &KdcReqBody,
        service: &PrincipalEntry,
    ) -> Result<(), Refusal> {
        let goes_on = service.name.is_ticket_granting()
            && !matches!(service.name.parts.as_slice(), [_, realm] if self.is_own_realm(realm));
        if goes_on {
            return Err(Refusal::new(ErrorCode::KDC_ERR_PATH_NOT_ACCEPTED));
        }
        if body.options.has(KdcOptions::RENEW) {
            return Err(Refusal::new(ErrorCode::KDC_ERR_BADOPTION));
        }
        Ok(())
    }
}

/// The ticket without what its realm may not say of its client: a PAC of another domain is none of
/// its business, and it has no say in groups of other domains (SID filtering, [MS-PAC] 4.1.2.2).
fn filtered(mut ticket: EncTicketPart, partner: &Partner) -> Result<EncTicketPart, Refusal> {
    if let Some(pac) = &ticket.pac {
        let pac = Pac::read(pac).and_then(|pac| pac.filtered(&partner.domain_sid));
        let pac = pac.ok_or(Refusal::new(ErrorCode::KDC_ERR_POLICY))?;
        ticket.pac = Some(pac.unsigned());
    }
    Ok(ticket)
}
