//! The authentication service: from a password to a ticket (RFC 4120, section 3.1).

use ground::Stream;

use super::{Kdc, Refusal, issue::Grant};
use crate::{
    crypto::{Key, Usage},
    db::{AccountState, PrincipalDb, PrincipalEntry},
    der::Reader,
    error::Error,
    message::{
        EncryptedData, ErrorCode, EtypeInfo, Exchange, KdcOptions, KdcReq, PaData, PaTimestamp,
        TicketFlags, encode_pa_list, extended_error, pa,
    },
    principal::{NameKind, PrincipalName},
};

impl<D: PrincipalDb> Kdc<D> {
    pub(super) fn authenticate(
        &self,
        request: &KdcReq,
        random: &mut Stream,
    ) -> Result<Vec<u8>, Refusal> {
        const OF_THE_OTHER_EXCHANGE: [KdcOptions; 4] = [
            KdcOptions::ENCRYPTED_IN_SESSION_KEY,
            KdcOptions::FORWARDED,
            KdcOptions::RENEW,
            KdcOptions::VALIDATE,
        ];
        let body = &request.body;
        self.check_realm(&body.realm)?;
        if OF_THE_OTHER_EXCHANGE.iter().any(|&option| body.options.has(option)) {
            return Err(Refusal::new(ErrorCode::KDC_ERR_BADOPTION));
        }
        let unknown = Refusal::new(ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN);
        let Some(asked_name) = &body.cname else { return Err(unknown) };
        let client = self.db.lookup(asked_name).ok_or(unknown)?;
        let service = self.service(body.sname.as_ref())?;
        check_not_revoked(&client)?;
        self.choose_etype(&body.etypes)?;
        let reply_key = self.preauthenticate(request, &client)?;
        if !service.name.is_change_password() {
            check_password_is_current(&client)?;
        }

        let canonical =
            body.options.has(KdcOptions::CANONICALIZE) || asked_name.kind == NameKind::ENTERPRISE;
        let cname = if canonical { client.name.clone() } else { asked_name.clone() };
        let mut flags = TicketFlags::INITIAL;
        if request.padata(pa::ENC_TIMESTAMP).is_some() {
            flags = flags.with(TicketFlags::PRE_AUTHENTICATED);
        }
        let info = EtypeInfo::new(reply_key.etype(), client.keys.salt());
        let now = self.now();
        let grant = Grant {
            exchange: Exchange::As,
            client: cname,
            service: &service,
            flags,
            authenticated: now,
            ends_max: now.plus_seconds(self.policy.ticket_seconds_max),
            renew_till_max: now.plus_seconds(self.policy.renew_seconds_max),
            may_be_forwardable: true,
            may_be_renewable: true,
            reply_key: &reply_key,
            reply_key_version: Some(client.keys.version()),
            reply_usage: Usage::AS_REP,
            key_expires: client.password_expires,
            padata: vec![PaData::new(pa::ETYPE_INFO2, EtypeInfo::encode_list(&[info]))],
        };
        self.issue(body, grant, random)
    }

    /// The service that a request asks a ticket for.
    pub(super) fn service(&self, name: Option<&PrincipalName>) -> Result<PrincipalEntry, Refusal> {
        let unknown = || Refusal::new(ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN);
        let service = self.db.lookup(name.ok_or_else(unknown)?).ok_or_else(unknown)?;
        // Which code a disabled service gets is not documented; this is the one seen most.
        if matches!(service.state, AccountState::Disabled) && !service.name.is_ticket_granting() {
            return Err(unknown());
        }
        if !service.is_service {
            return Err(Refusal::new(ErrorCode::KDC_ERR_MUST_USE_USER2USER));
        }
        Ok(service)
    }

    /// Makes sure that the client knows its password, and returns the key to answer with.
    fn preauthenticate(&self, request: &KdcReq, client: &PrincipalEntry) -> Result<Key, Refusal> {
        let common: Vec<&Key> = client
            .keys
            .all()
            .iter()
            .filter(|key| self.policy.etypes.contains(&key.etype()))
            .filter(|key| request.body.etypes.contains(&key.etype().number()))
            .collect();
        let unsupported = || Refusal::new(ErrorCode::KDC_ERR_ETYPE_NOSUPP);
        let strongest = *common.first().ok_or_else(unsupported)?;
        let info: Vec<EtypeInfo> =
            common.iter().map(|key| EtypeInfo::new(key.etype(), client.keys.salt())).collect();
        let info = PaData::new(pa::ETYPE_INFO2, EtypeInfo::encode_list(&info));

        let Some(proof) = request.padata(pa::ENC_TIMESTAMP) else {
            if !client.requires_preauthentication {
                return Ok(strongest.clone());
            }
            let hints = [info, PaData::new(pa::ENC_TIMESTAMP, Vec::new())];
            let code = ErrorCode::KDC_ERR_PREAUTH_REQUIRED;
            return Err(Refusal::with_data(code, encode_pa_list(&hints)));
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
