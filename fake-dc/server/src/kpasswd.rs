//! The password service (RFC 3244) over UDP and TCP, port 464: what `kpasswd` and `adcli join` ask.
//!
//! Clients change their own passwords under the policy of the domain. Whoever may modify an account
//! in the directory may set its password.

use fake_dc_directory::{
    AccountName, Directory, Flavour, PasswordPolicy, PasswordRestriction, Protection, SaslLayer,
};
use fake_dc_kerberos::{
    Frame, NameKind, PasswordChange, PasswordRefusal, PasswordResult, Principal, PrincipalName,
    frame, gss::AcceptorConfig, unframe,
};
use ground::{Secret, Trail};
use ldap_wire::{
    Attribute, Change, LdapMessage, LdapResult, ModifyOperation, ModifyRequest, ProtocolOp,
    ResultCode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::{
    dc::Dc,
    facts::{Garbage, Listener, PasswordAsked},
    gate::Passage,
    kdc, limits,
    route::Way,
    stream::Stream,
};

/// The answer to a datagram that came along `way`.
pub(crate) fn answer_datagram(way: &Way, trail: &Trail, datagram: &[u8]) -> Option<Vec<u8>> {
    if way.datagram_passage(Listener::Kpasswd) == Passage::Swallow {
        return None;
    }
    answer(&way.dc, trail, datagram)
}

/// Answers the requests of one connection, in order.
pub(crate) async fn serve_stream(dc: &Dc, trail: &Trail, mut stream: Stream) {
    let mut input = Vec::new();
    loop {
        match unframe(&input) {
            Ok(Frame::Message { message, consumed }) => {
                let Some(answer) = answer(dc, trail, message) else { return };
                let answer = frame(&answer);
                let sending = stream.write_all(&answer);
                let Ok(Ok(())) = timeout(limits::WRITE, sending).await else { return };
                input.drain(..consumed);
            }
            Ok(Frame::Incomplete { .. }) => {
                match timeout(limits::KDC_IDLE, stream.read_buf(&mut input)).await {
                    Ok(Ok(size)) if size > 0 => {}
                    _ => return,
                }
            }
            Err(error) => return garbage(trail, error.to_string()),
        }
    }
}

fn answer(dc: &Dc, trail: &Trail, request: &[u8]) -> Option<Vec<u8>> {
    let directory = dc.directory(Listener::Kpasswd);
    let acceptor = AcceptorConfig::new(
        PrincipalName::change_password(),
        &directory.dns_name().to_uppercase(),
        kdc::own_keys(dc),
        dc.clock(Listener::Kpasswd),
    );
    let change = match PasswordChange::read(request, acceptor) {
        Ok(change) => change,
        Err((refusal, answer)) => {
            match &refusal {
                PasswordRefusal::Rejected { result, .. } => {
                    trail.record(PasswordAsked {
                        client: None,
                        target: None,
                        result: *result as u16,
                        reason: Some(refusal.to_string()),
                    });
                }
                _ => garbage(trail, refusal.to_string()),
            }
            return answer;
        }
    };
    let is_own = change.client().realm.eq_ignore_ascii_case(directory.dns_name());
    let (result, text) = match change.target() {
        _ if !is_own => {
            let text = "Accounts of other domains change no passwords here";
            (PasswordResult::AccessDenied, text.as_bytes().to_vec())
        }
        Some(target) if !is_same(&directory, change.client(), target) => {
            set(dc, &directory, &change, target)
        }
        _ => own(&directory, &change),
    };
    trail.record(PasswordAsked {
        client: Some(change.client().name.to_string()),
        target: change.target().map(|target| target.name.to_string()),
        result: result as u16,
        reason: None,
    });
    let mut random = dc.domain.kerberos.random();
    Some(change.answer(result, &text, dc.ip(), &mut random))
}

/// Changes the client's own password.
fn own(directory: &Directory, change: &PasswordChange) -> (PasswordResult, Vec<u8>) {
    let client = change.client().name.to_string();
    match directory.change_own_password(account(&change.client().name, &client), change.password())
    {
        Ok(()) => (PasswordResult::Success, b"Password changed".to_vec()),
        Err(restriction) => {
            let policy = directory.password_policy();
            let text = match directory.flavour() {
                Flavour::Samba4_22 => words(restriction, policy).into_bytes(),
                _ => policy_data(policy),
            };
            (PasswordResult::SoftError, text)
        }
    }
}

/// Sets the password of another account, as a client that modifies `unicodePwd` over LDAP does.
fn set(
    dc: &Dc,
    directory: &Directory,
    change: &PasswordChange,
    target: &Principal,
) -> (PasswordResult, Vec<u8>) {
    let refused = |result, text: &str| (result, text.as_bytes().to_vec());
    let name = target.name.to_string();
    let dn = directory.account_dn(account(&target.name, &name));
    let ours = target.realm.eq_ignore_ascii_case(directory.dns_name());
    let Some(dn) = dn.filter(|_| ours) else {
        return refused(PasswordResult::AccessDenied, "No such user when changing password");
    };
    let client = change.client().name.to_string();
    let mut session = directory.open_session(&dc.view, Protection::Sealed);
    let client = account(&change.client().name, &client);
    let mut result = directory.sasl_succeeded(&mut session, client, SaslLayer::Seal);
    if result.is_success() {
        result = modify(directory, &mut session, dn, change.password());
    }
    match result.code {
        ResultCode::SUCCESS => (PasswordResult::Success, b"Password changed".to_vec()),
        ResultCode::UNWILLING_TO_PERFORM | ResultCode::CONSTRAINT_VIOLATION => {
            (PasswordResult::SoftError, policy_data(directory.password_policy()))
        }
        ResultCode::INSUFFICIENT_ACCESS_RIGHTS => {
            refused(PasswordResult::AccessDenied, "Not permitted to change password")
        }
        _ => refused(PasswordResult::HardError, "Unable to process the password change"),
    }
}

fn modify(
    directory: &Directory,
    session: &mut fake_dc_directory::Session,
    dn: String,
    password: &Secret,
) -> LdapResult {
    let quoted = format!("\"{}\"", password.expose());
    let value: Vec<u8> = quoted.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let modification = Attribute::new("unicodePwd", [value]);
    let change = Change { operation: ModifyOperation::Replace, modification };
    let request = ModifyRequest { object: dn, changes: vec![change] };
    let reply = directory.handle(session, LdapMessage::new(1, ProtocolOp::ModifyRequest(request)));
    reply
        .messages
        .into_iter()
        .find_map(|message| match message.op {
            ProtocolOp::ModifyResponse(result) => Some(result),
            _ => None,
        })
        .unwrap_or_else(|| LdapResult::new(ResultCode::OTHER, ""))
}

fn account<'a>(name: &PrincipalName, text: &'a str) -> AccountName<'a> {
    match name.kind {
        NameKind::ENTERPRISE => AccountName::UserPrincipal(text),
        _ if name.parts.len() > 1 => AccountName::Service(text),
        _ => AccountName::Account(text),
    }
}

fn is_same(directory: &Directory, client: &Principal, target: &Principal) -> bool {
    let dn = |name: &PrincipalName| directory.account_dn(account(name, &name.to_string()));
    target.realm.eq_ignore_ascii_case(&client.realm) && dn(&client.name) == dn(&target.name)
}

/// What Samba 4.22 says (`kpasswd-service.c`, `kpasswd_make_pwchange_reply`).
fn words(restriction: PasswordRestriction, policy: PasswordPolicy) -> String {
    match restriction {
        PasswordRestriction::InHistory => format!(
            "Password is already in password history. New password must not match any of your {} \
             previous passwords.",
            policy.history
        ),
        PasswordRestriction::NotComplex => {
            "Password does not meet complexity requirements".to_owned()
        }
        PasswordRestriction::NotPermitted => "Password change rejected, password changes may not \
                                              be permitted on this account, or the minimum \
                                              password age may not have elapsed."
            .to_owned(),
        PasswordRestriction::TooShort => format!(
            "Password too short, password must be at least {} characters long.",
            policy.length_min
        ),
    }
}

/// The policy in the form of Windows, for the client to find words (MIT Kerberos 1.20,
/// `decode_ad_policy_info`).
fn policy_data(policy: PasswordPolicy) -> Vec<u8> {
    let numbers = [policy.length_min, policy.history, policy.properties];
    let mut data = vec![0; 2];
    data.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    data.extend(policy.age_max.to_be_bytes());
    data.extend(policy.age_min.to_be_bytes());
    data
}

fn garbage(trail: &Trail, reason: String) {
    trail.record(Garbage { listener: Listener::Kpasswd, layer: "kpasswd", reason });
}
