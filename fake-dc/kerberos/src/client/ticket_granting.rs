//! From a ticket-granting ticket to a ticket for a service.

use ground::{Clock, Stream, Timestamp};

use super::{Credential, Proof, check_reply, nonce, refusal};
use crate::{
    crypto::{Etype, Key, Usage},
    error::Error,
    message::{
        Checksum, EncKdcRepPart, Exchange, KdcOptions, KdcRep, KdcReq, KdcReqBody, PaData, pa,
    },
    principal::PrincipalName,
};

/// One exchange with the ticket-granting service.
#[derive(Debug)]
pub struct TgsExchange {
    subkey: Key,
    service: PrincipalName,
    nonce: i64,
    request: Vec<u8>,
}

impl TgsExchange {
    /// Asks for a ticket for `service`, on the strength of a ticket-granting ticket.
    pub fn new(
        granting: &Credential,
        service: PrincipalName,
        clock: &Clock,
        random: &mut Stream,
    ) -> Self {
        let options = KdcOptions::FORWARDABLE.with(KdcOptions::CANONICALIZE);
        Self::with_options(granting, service, options, clock, random)
    }

    /// Asks for a ticket-granting ticket that may be handed to another host.
    pub fn forwarded(granting: &Credential, clock: &Clock, random: &mut Stream) -> Self {
        let options = KdcOptions::FORWARDABLE.with(KdcOptions::FORWARDED);
        let service = granting.service.name.clone();
        Self::with_options(granting, service, options, clock, random)
    }

    /// Asks for a later end of a renewable ticket-granting ticket.
    pub fn renewed(granting: &Credential, clock: &Clock, random: &mut Stream) -> Self {
        let options = KdcOptions::RENEW.with(KdcOptions::RENEWABLE).with(KdcOptions::FORWARDABLE);
        let service = granting.service.name.clone();
        Self::with_options(granting, service, options, clock, random)
    }

    fn with_options(
        granting: &Credential,
        service: PrincipalName,
        options: KdcOptions,
        clock: &Clock,
        random: &mut Stream,
    ) -> Self {
        let body = KdcReqBody {
            options,
            cname: None,
            // That of the KDC whose ticket it is, which is another than the one that has made it where
            // the client goes from realm to realm.
            realm: granting
                .service
                .name
                .granted_realm()
                .unwrap_or(&granting.service.realm)
                .to_owned(),
            sname: Some(service.clone()),
            from: None,
            till: Timestamp::from_unix(0),
            renew_till: None,
            nonce: nonce(random),
            etypes: Etype::ALL.map(Etype::number).to_vec(),
            addresses: None,
            additional_tickets: Vec::new(),
        };
        let key = &granting.session_key;
        let checksum = Checksum {
            kind: key.etype().checksum_number(),
            bytes: key.checksum(Usage::TGS_REQ_CHECKSUM, &[&body.encode()]),
        };
        let subkey = Key::random(key.etype(), random);
        let proof = Proof {
            now: clock.now(),
            usage: Usage::TGS_REQ_AUTHENTICATOR,
            options: 0,
            checksum,
            subkey: Some(subkey.clone()),
            sequence: None,
        };
        let shown = PaData::new(pa::TGS_REQ, granting.show(proof, random).encode());
        let request = KdcReq::encode(Exchange::Tgs, &[shown], &body);
        Self { subkey, service, nonce: body.nonce, request }
    }

    /// The message to send.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes the answer to [`TgsExchange::request`].
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the KDC's code (with [`KRB_ERR_RESPONSE_TOO_BIG`], send the request
    /// again over TCP), or the answer cannot be believed.
    ///
    /// [`KRB_ERR_RESPONSE_TOO_BIG`]: crate::ErrorCode::KRB_ERR_RESPONSE_TOO_BIG
    pub fn answer(&self, answer: &[u8]) -> Result<Credential, Error> {
        if let Some(error) = refusal(answer)? {
            return Err(Error::Refused { code: error.code });
        }
        let reply = KdcRep::read(Exchange::Tgs, answer)?;
        let plain = reply.encrypted.open(&self.subkey, Usage::TGS_REP_SUBKEY, "TGS-REP")?;
        let part = EncKdcRepPart::read(&plain)?;
        check_reply(&part, self.nonce, &self.service)?;
        let client = crate::Principal { name: reply.cname, realm: reply.crealm };
        Ok(Credential::new(client, reply.ticket, part))
    }
}
