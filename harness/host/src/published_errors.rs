//! The error codes that xapi publishes: what the SDKs are made from (xapi-flows.md §§16, 19).
//!
//! A client that knows only these meets any other as an unknown one. The released toolstack emits
//! two codes that are missing in its list (quirk Q7).

use std::collections::BTreeSet;

use crate::{Quirk, Quirks, error_codes, xapi::Tag};

/// The published codes of a pool with these quirks. Of the codes of a disable only those that were
/// ever raised have been published.
pub fn published_errors(quirks: &Quirks) -> BTreeSet<String> {
    error_codes()
        .into_iter()
        .map(|error| error.code)
        .filter(|code| is_published(code) && !is_missing(code, quirks))
        .collect()
}

/// Whether the published list says which parameters a code has. Of one it says that there are none,
/// although its parameters are names (quirk Q37).
pub fn publishes_parameters(code: &str, quirks: &Quirks) -> bool {
    let is_silent = code == "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT"
        && quirks.has(Quirk::CaConflictUndeclaredParams);
    published_errors(quirks).contains(code) && !is_silent
}

fn is_published(code: &str) -> bool {
    const DISABLE: [&str; 7] = [
        "AUTH_DISABLE_FAILED",
        "AUTH_DISABLE_FAILED_PERMISSION_DENIED",
        "AUTH_DISABLE_FAILED_WRONG_CREDENTIALS",
        "POOL_AUTH_DISABLE_FAILED",
        "POOL_AUTH_DISABLE_FAILED_INVALID_ACCOUNT",
        "POOL_AUTH_DISABLE_FAILED_PERMISSION_DENIED",
        "POOL_AUTH_DISABLE_FAILED_WRONG_CREDENTIALS",
    ];
    !code.contains("AUTH_DISABLE_FAILED") || DISABLE.contains(&code)
}

fn is_missing(code: &str, quirks: &Quirks) -> bool {
    let undeclared = [Tag::TlsSetup, Tag::NoEncryptionType];
    quirks.has(Quirk::UndeclaredHostCodes)
        && undeclared.iter().any(|tag| code == format!("AUTH_ENABLE_FAILED{}", tag.suffix()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn two_host_codes_are_missing_in_landed_and_their_pool_forms_are_listed() {
        let landed = published_errors(&Quirks::of(Profile::Landed));
        let design = published_errors(&Quirks::of(Profile::DesignV1));
        let missing: Vec<_> = design.difference(&landed).collect();
        let expected = [
            "AUTH_ENABLE_FAILED_NO_SUPPORT_ENCRYPT_TYPE",
            "AUTH_ENABLE_FAILED_SETUP_TLS_CONNECTION",
        ];
        assert_eq!(missing, expected);
        for code in expected {
            assert!(landed.contains(&format!("POOL_{code}")));
        }
    }

    #[test]
    fn every_tag_has_its_codes_of_enable() {
        let design = published_errors(&Quirks::of(Profile::DesignV1));
        for tag in Tag::ALL {
            for prefix in ["AUTH_ENABLE_FAILED", "POOL_AUTH_ENABLE_FAILED"] {
                assert!(design.contains(&format!("{prefix}{}", tag.suffix())));
            }
        }
    }
}
