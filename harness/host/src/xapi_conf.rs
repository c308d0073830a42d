//! The items of `/etc/xapi.conf` and its fragments (smb-conf.md §6), read once at each start.

use std::collections::BTreeMap;

use crate::{HostError, HostRoot, Profile};

/// Path of the main file.
pub(crate) const PATH: &str = "/etc/xapi.conf";
/// Directory of the fragments, read after the main file in the order of their names.
pub(crate) const FRAGMENTS: &str = "/etc/xapi.conf.d";

/// The configuration of one xapi process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XapiConf {
    /// `winbind_debug_level`, clamped: a value outside 0–10 counts as 2.
    pub winbind_debug_level: u8,
    /// `winbind_cache_time` in seconds.
    pub winbind_cache_time: i64,
    /// `winbind_scan_trusted_domains`.
    pub winbind_scan_trusted_domains: bool,
    /// `winbind_kerberos_encryption_type`: `strong`, `legacy` or `all`.
    pub winbind_kerberos_encryption_type: &'static str,
    /// `winbind_keep_configuration`: keep the joined smb.conf after a failed join or a disable.
    pub winbind_keep_configuration: bool,
    /// `serialize_auth_service` (landed): whether there is a plugin lock.
    pub serialize_auth_service: bool,
    /// `winbind-tls-verify-peer` (design-v1): the `tls verify peer` line.
    pub winbind_tls_verify_peer: &'static str,
}

impl XapiConf {
    /// Values without any file.
    pub fn default_in(profile: Profile) -> Self {
        Self {
            winbind_debug_level: 2,
            winbind_cache_time: 60,
            winbind_scan_trusted_domains: false,
            winbind_kerberos_encryption_type: "strong",
            winbind_keep_configuration: true,
            serialize_auth_service: profile == Profile::Landed,
            winbind_tls_verify_peer: "ca_and_name_if_available",
        }
    }

    /// Reads the files of a host. Unknown keys and unusable values are ignored, as xapi does.
    pub fn load(root: &HostRoot, profile: Profile) -> Result<Self, HostError> {
        let mut text = root.read_text_if_present(PATH)?.unwrap_or_default();
        for name in root.list(FRAGMENTS)? {
            text.push('\n');
            text += &root.read_text_if_present(&format!("{FRAGMENTS}/{name}"))?.unwrap_or_default();
        }
        Ok(Self::parse(&text, profile))
    }

    fn parse(text: &str, profile: Profile) -> Self {
        let items = items(text);
        let item = |key| items.get(key).copied();
        let boolean = |key, default| match item(key) {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        };
        let word = |key, words: &[&'static str], default| {
            words.iter().copied().find(|word| item(key) == Some(word)).unwrap_or(default)
        };
        let defaults = Self::default_in(profile);
        Self {
            winbind_debug_level: item("winbind_debug_level")
                .and_then(|value| value.parse().ok())
                .filter(|level| *level <= 10)
                .unwrap_or(defaults.winbind_debug_level),
            winbind_cache_time: item("winbind_cache_time")
                .and_then(|value| value.parse().ok())
                .unwrap_or(defaults.winbind_cache_time),
            winbind_scan_trusted_domains: boolean(
                "winbind_scan_trusted_domains",
                defaults.winbind_scan_trusted_domains,
            ),
            winbind_kerberos_encryption_type: word(
                "winbind_kerberos_encryption_type",
                &["strong", "legacy", "all"],
                defaults.winbind_kerberos_encryption_type,
            ),
            winbind_keep_configuration: boolean(
                "winbind_keep_configuration",
                defaults.winbind_keep_configuration,
            ),
            serialize_auth_service: profile == Profile::Landed
                && boolean("serialize_auth_service", true),
            winbind_tls_verify_peer: match profile {
                Profile::DesignV1 => {
                    word("winbind-tls-verify-peer", &VERIFY_PEER, defaults.winbind_tls_verify_peer)
                }
                Profile::Landed => defaults.winbind_tls_verify_peer,
            },
        }
    }
}

const VERIFY_PEER: [&str; 5] =
    ["no_check", "ca_only", "ca_and_name_if_available", "ca_and_name", "as_strict_as_possible"];

/// The last value of each key.
fn items(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.split('#').next()?.split_once('='))
        .map(|(key, value)| (key.trim(), unquoted(value.trim())))
        .collect()
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_as_documented() {
        let conf = XapiConf::parse(
            "# winbind_cache_time = 1\n\
             winbind_debug_level = 12\n\
             winbind_cache_time='0' # none\n\
             winbind_scan_trusted_domains = \"true\"\n\
             winbind_kerberos_encryption_type = weak\n\
             winbind-keep-configuration = false\n\
             serialize_auth_service = false\n\
             winbind-tls-verify-peer = ca_only\n",
            Profile::Landed,
        );
        let expected = XapiConf {
            winbind_cache_time: 0,
            winbind_scan_trusted_domains: true,
            serialize_auth_service: false,
            ..XapiConf::default_in(Profile::Landed)
        };
        assert_eq!(conf, expected);
    }

    #[test]
    fn fragments_come_after_the_file_in_order_of_names() {
        let directory = tempfile::tempdir().unwrap();
        let root = HostRoot::open(directory.path()).unwrap();
        let write = |path: &str, text: &str| root.write(path, text.as_bytes(), 0o644).unwrap();
        write("/etc/xapi.conf", "winbind_debug_level = 1\nwinbind-tls-verify-peer = ca_only");
        write("/etc/xapi.conf.d/20-b.conf", "winbind_debug_level = 10\n");
        write("/etc/xapi.conf.d/10-a.conf", "winbind_debug_level = 3\n");
        let conf = XapiConf::load(&root, Profile::DesignV1).unwrap();
        assert_eq!(conf.winbind_debug_level, 10);
        assert_eq!(conf.winbind_tls_verify_peer, "ca_only");
        assert!(!conf.serialize_auth_service);
    }
}
