//! The authentication service: from a password to a ticket (RFC 4120, section 3.1).

use ground::Stream;

use super::{Issued, Kdc, Refusal, issue::Grant};
use crate::{
    crypto::{DEFAULT_ROUNDS, Etype, Key, Usage},
    db::{AccountState, PrincipalDb, PrincipalEntry},
    der::Reader,
    error::Error,
    message::{
        Checksum, EncryptedData, ErrorCode, EtypeInfo, Exchange, KdcOptions, KdcReq, PaData,
        PaTimestamp, TicketFlags, encode_pa_list, extended_error, pa,
    },
    pac::Pac,
    principal::{NameKind, Principal, PrincipalName},
};

impl<D: PrincipalDb> Kdc<D> {
    pub(super) fn authenticate(
        &self,
        request: &KdcReq,
        random: &mut Stream,
    ) -> Result<Issued, Refusal> {
        const OF_THE_OTHER_EXCHANGE: [KdcOptions; 4] = [
            KdcOptions::ENCRYPTED_IN_SESSION_KEY,
            KdcOptions::FORWARDED,
            KdcOptions::RENEW,
            KdcOptions::VALIDATE,
        ];
        let body = &request.body;
        let unknown = || Refusal::new(ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN);
        if !self.is_own_realm(&body.realm) {
            let wrong = Refusal::new(ErrorCode::KDC_ERR_WRONG_REALM);
            return Err(if self.is_samba() { unknown() } else { wrong });
        }
        if OF_THE_OTHER_EXCHANGE.iter().any(|&option| body.options.has(option)) {
            return Err(Refusal::new(ErrorCode::KDC_ERR_BADOPTION));
        }
        let asked_name = body.cname.as_ref().ok_or_else(unknown)?;
        let client = self.db.lookup_client(asked_name).ok_or_else(|| {
            let partner = self.db.partner_of(asked_name);
            partner.map_or_else(unknown, |partner| Refusal::referring_to(partner.realm))
        })?;
        let service = self.service(body.sname.as_ref())?;
        check_not_revoked(&client)?;
        let may_be_old = service.name.is_change_password();
        // Heimdal tells everybody; Windows only who knows the password.
        if self.is_samba() && !may_be_old {
            check_password_is_current(&client)?;
        }
        self.choose_etype(&body.etypes, &Etype::ALL)?;
        let reply_key = self.preauthenticate(request, &client, random)?;
        if !may_be_old {
            check_password_is_current(&client)?;
        }

        let canonical = body.options.has(KdcOptions::CANONICALIZE)
            || (asked_name.kind == NameKind::ENTERPRISE && !self.is_samba());
        let cname = if canonical { client.name.clone() } else { asked_name.clone() };
        let mut flags = TicketFlags::INITIAL;
        if request.padata(pa::ENC_TIMESTAMP).is_some() {
            flags = flags.with(TicketFlags::PRE_AUTHENTICATED);
        }
        let mut encrypted_padata = Vec::new();
        if request.padata(pa::REQ_ENC_PA_REP).is_some() {
            flags = flags.with(TicketFlags::ENC_PA_REP);
            encrypted_padata = self.repeated(request, &reply_key);
        }
        let info = self.etype_info(&reply_key, &client);
        let now = self.now();
        let pac = client.logon.as_deref().filter(|_| wants_pac(request));
        let grant = Grant {
            exchange: Exchange::As,
            service: &service,
            user_to_user: None,
            flags,
            authenticated: now,
            ends_max: now.plus_seconds(self.policy.ticket_seconds_max),
            renew_till_max: now.plus_seconds(self.policy.renew_seconds_max),
            may_be_forwardable: client.may_be_delegated,
            may_be_renewable: true,
            reply_key: &reply_key,
            reply_key_version: Some(client.keys.version()),
            reply_usage: Usage::AS_REP,
            key_expires: client.password_expires,
            padata: vec![PaData::new(pa::ETYPE_INFO2, EtypeInfo::encode_list(&[info]))],
            encrypted_padata,
            addresses: body.addresses.clone().filter(|_| self.is_samba()),
            pac: pac.map(|logon| Pac::of_client(logon, &cname.to_string(), now)),
            client: Principal { name: cname, realm: self.realm.clone() },
        };
        self.issue(body, grant, random)
    }

    /// The service that a request asks a ticket for.
    pub(super) fn service(&self, name: Option<&PrincipalName>) -> Result<PrincipalEntry, Refusal> {
        let unknown = || Refusal::new(ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN);
        let service = self.db.lookup(name.ok_or_else(unknown)?).ok_or_else(unknown)?;
        // Samba 4.22 gives tickets for disabled accounts; what Windows does is not documented.
        let is_disabled = service.state == AccountState::Disabled && !self.is_samba();
        if is_disabled && !service.name.is_ticket_granting() {
            return Err(unknown());
        }
        if !service.is_service {
            let user_to_user = Refusal::new(ErrorCode::KDC_ERR_MUST_USE_USER2USER);
            return Err(if self.is_samba() { unknown() } else { user_to_user });
        }
        Ok(service)
    }

    /// What of the request the answer repeats under encryption, so that nobody in between can have
    /// changed it (RFC 6806, section 11).
    fn repeated(&self, request: &KdcReq, reply_key: &Key) -> Vec<PaData> {
        /// AES of both lengths and RC4 ([MS-KILE] 2.2.7).
        const SUPPORTED: u32 = 0x1c;
        let checksum = Checksum {
            kind: reply_key.etype().checksum_number(),
            bytes: reply_key.checksum(Usage::AS_REQ_CHECKSUM, &[&request.bytes]),
        };
        let mut padata = vec![PaData::new(pa::REQ_ENC_PA_REP, checksum.encode())];
        if !self.is_samba() {
            let supported = SUPPORTED.to_le_bytes().to_vec();
            padata.push(PaData::new(pa::SUPPORTED_ETYPES, supported));
        }
        padata
    }

    /// How a key comes from the password. Heimdal names the rounds, too.
    fn etype_info(&self, key: &Key, client: &PrincipalEntry) -> EtypeInfo {
        let etype = key.etype();
        EtypeInfo {
            etype: etype.number(),
            salt: (etype != Etype::Rc4).then(|| client.keys.salt().to_owned()),
            rounds: (self.is_samba() && etype != Etype::Rc4).then_some(DEFAULT_ROUNDS),
        }
    }

    /// Ways to prove oneself, in the order of the product.
    fn proposals(&self, info: PaData, random: &mut Stream) -> Vec<PaData> {
        let empty = |kind| PaData::new(kind, Vec::new());
        let (timestamp, certificate) = (empty(pa::ENC_TIMESTAMP), empty(pa::PK_AS_REQ));
        let old_certificate = empty(pa::PK_AS_REP_OLD);
        if !self.is_samba() {
            return vec![info, timestamp, certificate, old_certificate];
        }
        let mut proposals = vec![certificate, old_certificate, timestamp, info];
        proposals.extend(self.freshness(random));
        proposals
    }

    /// A token that a certificate's owner signs: the time, for nobody else to read (RFC 8070).
    fn freshness(&self, random: &mut Stream) -> Option<PaData> {
        let keys = self.own_keys()?;
        let stamp = PaTimestamp { time: self.clock.now() }.encode();
        let version = Some(keys.version());
        let sealed =
            EncryptedData::seal(keys.all().first()?, version, Usage::TIMESTAMP, &stamp, random);
        let token = [&[0; 4], sealed.encode().as_slice()].concat();
        Some(PaData::new(pa::AS_FRESHNESS, token))
    }

    /// Makes sure that the client knows its password, and returns the key to answer with.
    fn preauthenticate(
        &self,
        request: &KdcReq,
        client: &PrincipalEntry,
        random: &mut Stream,
    ) -> Result<Key, Refusal> {
        let common: Vec<&Key> = client
            .keys
            .all()
            .iter()
            .filter(|key| self.policy.etypes.contains(&key.etype()))
            .filter(|key| request.body.etypes.contains(&key.etype().number()))
            .collect();
        let unsupported = || Refusal::new(ErrorCode::KDC_ERR_ETYPE_NOSUPP);
        let strongest = *common.first().ok_or_else(unsupported)?;
        // Heimdal proposes the strongest alone.
        let proposed = if self.is_samba() { &common[..1] } else { &common };
        let info: Vec<EtypeInfo> =
            proposed.iter().map(|key| self.etype_info(key, client)).collect();
        let info = PaData::new(pa::ETYPE_INFO2, EtypeInfo::encode_list(&info));

        let Some(proof) = request.padata(pa::ENC_TIMESTAMP) else {
            if !client.requires_preauthentication {
                return Ok(strongest.clone());
            }
            let hints = encode_pa_list(&self.proposals(info, random));
            let refusal = Refusal::with_data(ErrorCode::KDC_ERR_PREAUTH_REQUIRED, hints);
            return Err(refusal.saying("Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ"));
        };
        let failed = || {
            let code = ErrorCode::KDC_ERR_PREAUTH_FAILED;
            Refusal::with_data(code, encode_pa_list(std::slice::from_ref(&info)))
        };
        let proof = EncryptedData::read(&mut Reader::new("PA-ENC-TIMESTAMP", proof))
            .map_err(|_| failed())?;
        let key = *common
            .iter()
            .find(|key| key.etype().number() == proof.etype)
            .ok_or_else(unsupported)?;
        let opened = proof.open(key, Usage::TIMESTAMP, "PA-ENC-TIMESTAMP");
        let stamp = match opened.and_then(|plain| PaTimestamp::read(&plain)) {
            Ok(stamp) => stamp,
            Err(Error::Integrity { .. }) => {
                self.db.wrong_password(client);
                return Err(failed());
            }
            Err(_) => return Err(failed()),
        };
        if !self.is_within_skew(stamp.time) {
            return Err(Refusal::new(ErrorCode::KRB_AP_ERR_SKEW));
        }
        self.db.right_password(client);
        Ok(key.clone())
    }
}

/// Whether a client wants a PAC: who does not say so does ([MS-KILE] 3.3.5.3).
fn wants_pac(request: &KdcReq) -> bool {
    /// KERB-PA-PAC-REQUEST with `include-pac` false.
    const UNWANTED: [u8; 7] = [0x30, 5, 0xa0, 3, 1, 1, 0];
    request.padata(pa::PAC_REQUEST).is_none_or(|wish| wish != UNWANTED)
}

/// Refuses accounts that may not log on whatever their password, as Windows does before it looks
/// at pre-authentication.
pub(super) fn check_not_revoked(client: &PrincipalEntry) -> Result<(), Refusal> {
    const STATUS_ACCOUNT_DISABLED: u32 = 0xc000_0072;
    const STATUS_ACCOUNT_EXPIRED: u32 = 0xc000_0193;
    const STATUS_ACCOUNT_LOCKED_OUT: u32 = 0xc000_0234;
    let status = match client.state {
        AccountState::Disabled => STATUS_ACCOUNT_DISABLED,
        AccountState::Expired => STATUS_ACCOUNT_EXPIRED,
        AccountState::LockedOut => STATUS_ACCOUNT_LOCKED_OUT,
        AccountState::Active | AccountState::MustChangePassword | AccountState::PasswordExpired => {
            return Ok(());
        }
    };
    Err(Refusal::with_data(ErrorCode::KDC_ERR_CLIENT_REVOKED, extended_error(status)))
}

/// Refuses accounts that need a new password; only to those who know the old one.
fn check_password_is_current(client: &PrincipalEntry) -> Result<(), Refusal> {
    const STATUS_PASSWORD_EXPIRED: u32 = 0xc000_0071;
    const STATUS_PASSWORD_MUST_CHANGE: u32 = 0xc000_0224;
    let status = match client.state {
        AccountState::PasswordExpired => STATUS_PASSWORD_EXPIRED,
        AccountState::MustChangePassword => STATUS_PASSWORD_MUST_CHANGE,
        _ => return Ok(()),
    };
    Err(Refusal::with_data(ErrorCode::KDC_ERR_KEY_EXPIRED, extended_error(status)))
}
