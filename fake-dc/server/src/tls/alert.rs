//! Alerts, by the names and numbers of the IANA registry (RFC 5246, section 7.2).

/// The level of an alert that ends the connection.
pub(crate) const FATAL: u8 = 2;
/// The level of the others.
pub(crate) const WARNING: u8 = 1;

pub(crate) const CLOSE_NOTIFY: u8 = 0;
pub(crate) const HANDSHAKE_FAILURE: u8 = 40;
pub(crate) const INTERNAL_ERROR: u8 = 80;
pub(crate) const UNRECOGNIZED_NAME: u8 = 112;

const NAMES: &[(u8, &str)] = &[
    (CLOSE_NOTIFY, "close-notify"),
    (10, "unexpected-message"),
    (20, "bad-record-mac"),
    (21, "decryption-failed"),
    (22, "record-overflow"),
    (30, "decompression-failure"),
    (HANDSHAKE_FAILURE, "handshake-failure"),
    (41, "no-certificate"),
    (42, "bad-certificate"),
    (43, "unsupported-certificate"),
    (44, "certificate-revoked"),
    (45, "certificate-expired"),
    (46, "certificate-unknown"),
    (47, "illegal-parameter"),
    (48, "unknown-ca"),
    (49, "access-denied"),
    (50, "decode-error"),
    (51, "decrypt-error"),
    (60, "export-restriction"),
    (70, "protocol-version"),
    (71, "insufficient-security"),
    (INTERNAL_ERROR, "internal-error"),
    (86, "inappropriate-fallback"),
    (90, "user-canceled"),
    (100, "no-renegotiation"),
    (109, "missing-extension"),
    (110, "unsupported-extension"),
    (111, "certificate-unobtainable"),
    (UNRECOGNIZED_NAME, "unrecognized-name"),
    (113, "bad-certificate-status-response"),
    (114, "bad-certificate-hash-value"),
    (115, "unknown-psk-identity"),
    (116, "certificate-required"),
    (120, "no-application-protocol"),
];

/// The alert of that name, in which `-` and `_` are the same, or number.
pub(crate) fn parse(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let name = text.replace('_', "-");
    NAMES.iter().find(|(_, known)| *known == name).map(|&(number, _)| number)
}

/// A record in clear with that alert.
pub(crate) fn record(level: u8, alert: u8, version: u16) -> Vec<u8> {
    super::flight::record(super::own::ALERT, version, &[level, alert])
}

/// The same, with the level at which servers send it.
pub(crate) fn usual(alert: u8, version: u16) -> Vec<u8> {
    record(if alert == CLOSE_NOTIFY { WARNING } else { FATAL }, alert, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_names_and_numbers() {
        assert_eq!(parse("protocol_version"), Some(70));
        assert_eq!(parse("protocol-version"), Some(70));
        assert_eq!(parse("255"), Some(255));
        assert_eq!(parse("256"), None);
        assert_eq!(parse("no-such-alert"), None);
        assert_eq!(usual(CLOSE_NOTIFY, 0x0303), [21, 3, 3, 0, 2, 1, 0]);
        assert_eq!(usual(40, 0x0301), [21, 3, 1, 0, 2, 2, 40]);
    }
}
