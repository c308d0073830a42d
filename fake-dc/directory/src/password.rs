//! Setting passwords through `unicodePwd` ([MS-ADTS] 3.1.1.3.1.5.1).

use ground::Secret;
use ldap_wire::LdapResult;

use crate::{
    domain::Domain,
    entry::Entry,
    session::{Protection, Session},
    state::State,
};

/// ERROR_GEN_FAILURE, which AD gives when the connection is not protected.
const NOT_PROTECTED: u32 = 0x1f;
/// ERROR_PASSWORD_RESTRICTION.
const RESTRICTION: u32 = 0x52d;

/// Reads a password from the form that clients send: UTF-16 in quotes, on a protected connection.
pub(crate) fn read(
    domain: &Domain,
    state: &State,
    session: &Session,
    value: &[u8],
) -> Result<Secret, LdapResult> {
    let diagnostics = domain.diagnostics();
    if session.protection == Protection::None {
        return Err(diagnostics.unwilling(NOT_PROTECTED));
    }
    let units: Vec<u16> = value.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    let text = String::from_utf16(&units).ok().filter(|_| value.len().is_multiple_of(2));
    let password = text
        .as_deref()
        .and_then(|text| text.strip_prefix('"')?.strip_suffix('"'))
        .ok_or_else(|| diagnostics.unwilling(NOT_PROTECTED))?;
    let head = state.store.find(&domain.dn).and_then(|id| state.store.get(id));
    let shortest = head.and_then(|head| head.number("minPwdLength")).unwrap_or(0);
    if i64::try_from(password.chars().count()).unwrap_or(i64::MAX) < shortest {
        return Err(diagnostics.unwilling(RESTRICTION));
    }
    Ok(Secret::new(password))
}

/// Gives an account its new password.
pub(crate) fn set(domain: &Domain, entry: &mut Entry, password: Secret) {
    entry.password = Some(password);
    entry.password_version += 1;
    entry.set("pwdLastSet", [domain.now().to_file_time().to_string()]);
}
