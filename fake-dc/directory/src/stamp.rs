//! Times as AD writes them.

use ground::Timestamp;

/// What `accountExpires` and the computed expiry hold when there is none ([MS-ADA1] 2.3).
pub(crate) const NEVER: i64 = i64::MAX;

/// The generalized time of AD: `20261121231224.0Z`.
pub(crate) fn generalized(at: Timestamp) -> String {
    let at = at.to_date_time();
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}.0Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// True for `YYYYMMDDHHMMSS` with an optional fraction and a `Z`.
pub(crate) fn is_generalized(text: &str) -> bool {
    let Some(text) = text.strip_suffix('Z') else { return false };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    whole.len() == 14 && digits(whole) && digits(fraction)
}
