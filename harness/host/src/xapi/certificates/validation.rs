//! What is checked before a certificate or a revocation list is installed (xapi-flows.md §§3.1,
//! 3.3).

use ground::Timestamp;

use crate::{ApiError, Quirk, certificate::ParsedCertificate, xapi::Pool};

/// What a certificate is to be, which decides the codes of its failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::xapi) enum Checked {
    LegacyCa,
    Trusted,
}

impl Checked {
    const fn code(self) -> &'static str {
        match self {
            Self::LegacyCa => "CA_CERTIFICATE",
            Self::Trusted => "TRUSTED_CERTIFICATE",
        }
    }
}

impl Pool {
    /// The first check of §3.1: exactly one certificate.
    pub(in crate::xapi) fn parse_certificate(
        &self,
        text: &str,
        checked: Checked,
    ) -> Result<ParsedCertificate, ApiError> {
        let keep_all = self.quirks().has(Quirk::PemExtraBlocksKept);
        ParsedCertificate::from_pem(text, keep_all)
            .ok_or_else(|| ApiError::bare(&format!("{}_INVALID", checked.code())))
    }

    /// §3.1, in its order: exactly one certificate, not too early, not too late.
    pub(in crate::xapi) fn check_certificate(
        &self,
        text: &str,
        checked: Checked,
    ) -> Result<ParsedCertificate, ApiError> {
        let code = checked.code();
        let certificate = self.parse_certificate(text, checked)?;
        let now = self.coordinator().clock().now();
        let out_of_time = |trouble: &str, limit: Timestamp| {
            let whole = |time: Timestamp| Timestamp::from_unix(time.unix()).to_string();
            Err(ApiError::new(format!("{code}_{trouble}"), [whole(now), whole(limit)]))
        };
        if now < certificate.not_before {
            return out_of_time("NOT_VALID_YET", certificate.not_before);
        }
        if now > certificate.not_after {
            return out_of_time("EXPIRED", certificate.not_after);
        }
        Ok(certificate)
    }

    /// §3.3. With quirk Q31 the empty name is a failure of xapi itself.
    pub(super) fn check_name(&self, name: &str, code: &str) -> Result<(), ApiError> {
        if name.is_empty() && self.quirks().has(Quirk::CaInstallChecksNameLate) {
            return Err(ApiError::internal("Invalid_argument(\"index out of bounds\")"));
        }
        if is_valid_name(name) { Ok(()) } else { Err(ApiError::new(code, [name])) }
    }
}

/// At least one character before `.pem`, the first no dot, and none but letters, digits, `.`, `_`
/// and `-`.
fn is_valid_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let stem = name.strip_suffix(".pem");
    stem.is_some_and(|stem| {
        !stem.is_empty() && !stem.starts_with('.') && stem.chars().all(is_allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for good in ["a.pem", "A-Z_0.9.pem", "x.pem.pem", "-.pem", "..pem.pem"] {
            assert_eq!(is_valid_name(good), !good.starts_with('.'), "{good}");
        }
        for bad in ["", ".pem", ".a.pem", "a", "a.PEM", "a.pem ", "a b.pem", "a/b.pem", "ä.pem"] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }
}
