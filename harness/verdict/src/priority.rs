//! `tls priority`: GnuTLS' priority strings (GnuTLS 3.8.9 `gnutls_priority_init2`,
//! samba-tls-verify.md §9), and what a client with such a string offers.

use serde::Serialize;

use crate::{
    evidence::TlsVersion,
    hash::Hash,
    priority_tables::{
        self as tables, GROUPS, LEVELS, Level, NORMAL_GROUPS, NORMAL_SIGNATURES, NORMAL_VERSIONS,
        OPTIONS, SIGNATURES,
    },
    status::GnutlsError,
    suites::{SUITES, ServerKey, tls13_suite},
};

/// The string xapi writes (xapi 26.16, smb-conf.md §4).
pub const XAPI_PRIORITY: &str = "NONE:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+AEAD:+ECDHE-RSA:\
     +SIGN-ALL:+GROUP-SECP384R1:+COMP-NULL:%SERVER_PRECEDENCE";

/// Samba's default since 4.7.
pub const SAMBA_PRIORITY: &str = "NORMAL:-VERS-SSL3.0";

/// What a client offers in its hello, in order of preference.
///
/// Numbers are those of the IANA TLS registries, so that any TLS library can be set up from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsOffer {
    /// Protocol versions.
    pub versions: Vec<TlsVersion>,
    /// Cipher suites of all versions.
    pub cipher_suites: Vec<u16>,
    /// Groups for key exchange.
    pub groups: Vec<u16>,
    /// Signature schemes.
    pub signature_schemes: Vec<u16>,
    /// `%SERVER_PRECEDENCE`: without effect on a client.
    pub server_precedence: bool,
    #[serde(skip)]
    pub(crate) rules: VerifyRules,
    #[serde(skip)]
    keys: Vec<ServerKey>,
    #[serde(skip)]
    ephemeral: bool,
}

/// What a priority string changes in the verification of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VerifyRules {
    pub(crate) allow_broken: bool,
    pub(crate) allow_md5: bool,
    pub(crate) allow_sha1: bool,
    pub(crate) allow_key_usage_violation: bool,
    pub(crate) crl_checks: bool,
    pub(crate) wildcards: bool,
    /// Least bits of an RSA or DSA key, and of an elliptic curve.
    pub(crate) key_bits_min: (u64, u64),
}

impl Default for VerifyRules {
    /// Profile LOW, which Samba gets by applying GnuTLS' default priority first.
    fn default() -> Self {
        Self {
            allow_broken: false,
            allow_md5: false,
            allow_sha1: false,
            allow_key_usage_violation: false,
            crl_checks: true,
            wildcards: true,
            key_bits_min: (1024, 160),
        }
    }
}

impl VerifyRules {
    /// Whether a weak hash is let through in signatures.
    pub(crate) fn allows(&self, hash: Hash) -> bool {
        self.allow_broken
            || self.allow_md5 && hash == Hash::Md5
            || self.allow_sha1 && hash == Hash::Sha1
    }
}

/// A priority string GnuTLS refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("understand priority string at `{token}`: {error}")]
pub struct PriorityError {
    /// The token that is wrong; empty if the whole enables nothing.
    pub token: String,
    /// `GNUTLS_E_INVALID_REQUEST` or `GNUTLS_E_NO_PRIORITIES_WERE_SET`.
    pub error: GnutlsError,
}

impl TlsOffer {
    /// Reads a priority string.
    ///
    /// ```
    /// use trust_verdict::{TlsOffer, XAPI_PRIORITY};
    ///
    /// let offer = TlsOffer::parse(XAPI_PRIORITY)?;
    /// assert_eq!(offer.cipher_suites, [0xc030, 0xc02f]);
    /// assert_eq!(offer.groups, [24]);
    /// # Ok::<(), trust_verdict::PriorityError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PriorityError> {
        let mut lists = Lists::default();
        let mut tokens = text.trim_start().split(':').map(|token| token.trim_start_matches(' '));
        let mut keyword = false;
        let mut pending = tokens.next();
        if pending.is_some_and(|first| first.eq_ignore_ascii_case("NONE")) {
            keyword = true;
            pending = tokens.next();
        } else {
            lists.versions = NORMAL_VERSIONS.to_vec();
            lists.signatures = NORMAL_SIGNATURES.to_vec();
            lists.groups = NORMAL_GROUPS.to_vec();
        }
        while let Some(token) = pending {
            lists
                .apply(token, &mut keyword)
                .map_err(|error| PriorityError { token: token.to_owned(), error })?;
            pending = tokens.next();
        }
        lists.into_offer()
    }

    /// Whether a server can use a key of this kind with what is offered.
    pub(crate) fn takes(&self, key: ServerKey, version: TlsVersion) -> bool {
        if version == TlsVersion::Tls13 { self.has_tls13() } else { self.keys.contains(&key) }
    }

    /// Whether the server's key is used for signing in the handshake.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    fn has_tls13(&self) -> bool {
        self.cipher_suites.iter().any(|suite| suite >> 8 == 0x13)
    }
}

/// The lists a priority string edits.
#[derive(Clone, Debug, Default)]
struct Lists {
    versions: Vec<&'static str>,
    ciphers: Vec<&'static str>,
    macs: Vec<&'static str>,
    exchanges: Vec<&'static str>,
    groups: Vec<&'static str>,
    signatures: Vec<&'static str>,
    rules: VerifyRules,
    server_precedence: bool,
}

impl Lists {
    fn apply(&mut self, token: &str, keyword: &mut bool) -> Result<(), GnutlsError> {
        if let Some(level) = level(token) {
            self.set_level(level, *keyword);
            *keyword = true;
            return Ok(());
        }
        if let Some(option) = token.strip_prefix('%') {
            return self.set_option(option);
        }
        let adds = token.starts_with('+');
        let name = token.strip_prefix(['+', '-', '!']).ok_or(GnutlsError::InvalidRequest)?;
        if adds && let Some(level) = level(name) {
            self.set_level(level, true);
            return Ok(());
        }
        self.edit(&name.to_ascii_uppercase(), adds)
    }

    fn set_level(&mut self, level: &'static Level, add: bool) {
        if let Some(versions) = level.versions {
            set(&mut self.versions, versions, add);
        }
        set(&mut self.ciphers, level.ciphers, add);
        set(&mut self.macs, level.macs, add);
        set(&mut self.exchanges, level.exchanges, add);
        set(&mut self.signatures, level.signatures, add);
        set(&mut self.groups, level.groups, add);
        if let Some(bits) = level.key_bits_min {
            self.rules.key_bits_min = bits;
        }
    }

    fn set_option(&mut self, option: &str) -> Result<(), GnutlsError> {
        // The option table of GnuTLS is case sensitive.
        let known = OPTIONS.contains(&option);
        let profile = tables::profile(option);
        match option {
            "DISABLE_WILDCARDS" => self.rules.wildcards = false,
            "SERVER_PRECEDENCE" => self.server_precedence = true,
            "COMPAT" | "DEBUG_ALLOW_KEY_USAGE_VIOLATIONS" => {
                self.rules.allow_key_usage_violation = true;
            }
            "VERIFY_ALLOW_BROKEN" => self.rules.allow_broken = true,
            "VERIFY_ALLOW_SIGN_RSA_MD5" => self.rules.allow_md5 = true,
            "VERIFY_ALLOW_SIGN_WITH_SHA1" => self.rules.allow_sha1 = true,
            "VERIFY_DISABLE_CRL_CHECKS" => self.rules.crl_checks = false,
            _ => {}
        }
        if let Some(bits) = profile {
            self.rules.key_bits_min = bits;
        }
        if known || profile.is_some() { Ok(()) } else { Err(GnutlsError::InvalidRequest) }
    }

    fn edit(&mut self, name: &str, adds: bool) -> Result<(), GnutlsError> {
        let one = |list: &mut Vec<&'static str>, known: &[&'static str], name: &str| {
            let found = known.iter().find(|known| **known == name);
            let found = found.ok_or(GnutlsError::InvalidRequest)?;
            if adds {
                set(list, &[*found], true);
            } else {
                list.retain(|entry| entry != found);
            }
            Ok(())
        };
        let all = |list: &mut Vec<&'static str>, known: &[&'static str]| {
            if adds {
                set(list, known, true);
            } else {
                list.clear();
            }
            Ok(())
        };
        // The order of the tests is GnuTLS': `RSA` is a key exchange, `SHA256` a MAC.
        if tables::MACS.contains(&name) {
            return one(&mut self.macs, &tables::MACS, name);
        }
        if tables::CIPHERS.contains(&name) {
            return one(&mut self.ciphers, &tables::CIPHERS, name);
        }
        if tables::EXCHANGES.contains(&name) {
            return one(&mut self.exchanges, &tables::EXCHANGES, name);
        }
        if let Some(version) = name.strip_prefix("VERS-") {
            if version.starts_with("ALL") {
                return all(&mut self.versions, &NORMAL_VERSIONS);
            }
            let part = match version {
                _ if version.starts_with("TLS-ALL") => "TLS",
                _ if version.starts_with("DTLS-ALL") => "DTLS",
                _ => return one(&mut self.versions, &tables::VERSIONS, version),
            };
            for version in NORMAL_VERSIONS.into_iter().filter(|name| name.starts_with(part)) {
                one(&mut self.versions, &tables::VERSIONS, version)?;
            }
            return Ok(());
        }
        if name.starts_with("COMP-") || tables::GOST.contains(&name) {
            return Ok(());
        }
        if let Some(curve) = name.strip_prefix("CURVE-").filter(|curve| !curve.starts_with("ALL")) {
            let known: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
            let known: Vec<_> = known.into_iter().filter(|name| !name.starts_with("FF")).collect();
            return one(&mut self.groups, &known, curve);
        }
        if let Some(group) = name.strip_prefix("GROUP-").or(name.strip_prefix("CURVE-")) {
            let subset = |wanted: fn(&&str) -> bool| -> Vec<&'static str> {
                NORMAL_GROUPS.into_iter().filter(wanted).collect()
            };
            if group.starts_with("ALL") {
                return all(&mut self.groups, &NORMAL_GROUPS);
            }
            let part = if group.starts_with("DH-ALL") {
                subset(|group| group.starts_with("FFDHE"))
            } else if group.starts_with("EC-ALL") {
                subset(|group| !group.starts_with("FFDHE"))
            } else {
                let known: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
                return one(&mut self.groups, &known, group);
            };
            for group in part {
                one(&mut self.groups, &NORMAL_GROUPS, group)?;
            }
            return Ok(());
        }
        if let Some(kind) = name.strip_prefix("CTYPE-") {
            let known = tables::CERTIFICATE_TYPES.contains(&kind);
            return if known { Ok(()) } else { Err(GnutlsError::InvalidRequest) };
        }
        if let Some(signature) = name.strip_prefix("SIGN-") {
            if signature.starts_with("ALL") {
                return all(&mut self.signatures, &NORMAL_SIGNATURES);
            }
            let known: Vec<_> = SIGNATURES.iter().map(|(name, _)| *name).collect();
            return one(&mut self.signatures, &known, signature);
        }
        if name.starts_with("MAC-ALL") {
            return all(&mut self.macs, &tables::NORMAL_MACS);
        }
        if name.starts_with("CIPHER-ALL") {
            return all(&mut self.ciphers, &tables::NORMAL_CIPHERS);
        }
        if name.starts_with("KX-ALL") {
            return all(&mut self.exchanges, &tables::NORMAL_EXCHANGES);
        }
        Err(GnutlsError::InvalidRequest)
    }

    fn into_offer(self) -> Result<TlsOffer, PriorityError> {
        // Without signature algorithms nothing above TLS 1.1 is left, without groups no TLS 1.3.
        let usable = |version: &&&str| match **version {
            "TLS1.3" => !self.signatures.is_empty() && !self.groups.is_empty(),
            "TLS1.2" | "DTLS1.2" => !self.signatures.is_empty(),
            _ => true,
        };
        let kept: Vec<_> = self.versions.iter().filter(usable).collect();
        let versions: Vec<_> = kept.iter().filter_map(|version| tables::version(version)).collect();
        let mut cipher_suites = Vec::new();
        let mut keys = Vec::new();
        let mut ephemeral = false;
        if versions.contains(&TlsVersion::Tls13) {
            let suites = self.ciphers.iter().filter_map(|cipher| tls13_suite(cipher));
            cipher_suites.extend(suites.filter(|_| self.macs.contains(&"AEAD")));
            ephemeral |= !cipher_suites.is_empty();
        }
        let before_tls13 = kept.iter().any(|version| **version != "TLS1.3");
        for exchange in self.exchanges.iter().filter(|_| before_tls13) {
            for cipher in &self.ciphers {
                for mac in &self.macs {
                    let matching = SUITES.iter().filter(|suite| {
                        suite.exchange == *exchange && suite.cipher == *cipher && suite.mac == *mac
                    });
                    for suite in matching {
                        cipher_suites.push(suite.number);
                        keys.push(suite.key);
                        ephemeral |= *exchange != "RSA";
                    }
                }
            }
        }
        if kept.is_empty() || cipher_suites.is_empty() {
            return Err(PriorityError {
                token: String::new(),
                error: GnutlsError::NoPrioritiesWereSet,
            });
        }
        let number = |table: &[(&str, u16)], name: &str| {
            table.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
        };
        let mut signature_schemes: Vec<u16> =
            self.signatures.iter().filter_map(|name| number(&SIGNATURES, name)).collect();
        let mut seen = Vec::new();
        signature_schemes.retain(|scheme| {
            let is_new = !seen.contains(scheme);
            seen.push(*scheme);
            is_new && *scheme != 0
        });
        Ok(TlsOffer {
            versions,
            cipher_suites,
            groups: self.groups.iter().filter_map(|name| number(&GROUPS, name)).collect(),
            signature_schemes,
            server_precedence: self.server_precedence,
            rules: self.rules,
            keys,
            ephemeral,
        })
    }
}

fn level(name: &str) -> Option<&'static Level> {
    LEVELS.iter().find(|level| level.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Replaces a list, or adds to its end what is not in it.
fn set(list: &mut Vec<&'static str>, entries: &[&'static str], add: bool) {
    if !add {
        list.clear();
    }
    for entry in entries {
        if !list.contains(entry) {
            list.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> GnutlsError {
        TlsOffer::parse(text).expect_err("the string is refused").error
    }

    #[test]
    fn the_string_of_xapi_offers_what_was_captured() {
        let offer = TlsOffer::parse(XAPI_PRIORITY).expect("xapi's string");
        assert_eq!(offer.versions, [TlsVersion::Tls12]);
        assert_eq!(offer.cipher_suites, [0xc030, 0xc02f]);
        assert_eq!(offer.groups, [24]);
        assert_eq!(offer.signature_schemes.len(), 16);
        assert!(offer.server_precedence);
        assert!(offer.takes(ServerKey::Rsa, TlsVersion::Tls12));
        assert!(!offer.takes(ServerKey::Ecdsa, TlsVersion::Tls12));
    }

    #[test]
    fn the_default_offers_tls13_and_every_key() {
        let offer = TlsOffer::parse(SAMBA_PRIORITY).expect("Samba's string");
        assert_eq!(offer.versions.first(), Some(&TlsVersion::Tls13));
        assert!(offer.takes(ServerKey::Rsa, TlsVersion::Tls12));
        assert!(offer.takes(ServerKey::Ecdsa, TlsVersion::Tls13));
        assert!(offer.groups.contains(&29));
    }

    #[test]
    fn unknown_words_are_refused() {
        for text in [
            "",
            "FOO",
            "NORMAL:",
            "NORMAL:+FOO",
            "NORMAL:AES-128-GCM",
            "NORMAL:%FOO",
            "NORMAL:+VERS-TLS9",
            "NORMAL:+GROUP-P256",
            "NORMAL:+SIGN-FOO",
            "@SYSTEM",
            "NORMAL,+RSA",
            "NORMAL:%server_precedence",
        ] {
            assert_eq!(fails(text), GnutlsError::InvalidRequest, "{text}");
        }
    }

    #[test]
    fn strings_that_enable_nothing_are_another_error() {
        for text in ["NONE", "none", "NONE:+VERS-TLS1.2", "NORMAL:-VERS-ALL", "NORMAL:-CIPHER-ALL"]
        {
            assert_eq!(fails(text), GnutlsError::NoPrioritiesWereSet, "{text}");
        }
    }

    #[test]
    fn words_are_added_and_removed_without_regard_to_case() {
        let offer = TlsOffer::parse("secure128:-vers-all:+vers-tls1.2:!ECDHE-RSA:!RSA:!DHE-RSA")
            .expect("a fair string");
        assert_eq!(offer.versions, [TlsVersion::Tls12]);
        assert!(!offer.takes(ServerKey::Rsa, TlsVersion::Tls12));
        assert!(offer.takes(ServerKey::Ecdsa, TlsVersion::Tls12));
        let offer = TlsOffer::parse("NORMAL:+SECURE192:%PROFILE_MEDIUM").expect("a fair string");
        assert_eq!(offer.rules.key_bits_min, (2048, 224));
    }
}
