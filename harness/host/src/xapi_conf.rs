//! The items of `/etc/xapi.conf` and its fragments (smb-conf.md §6), read once at each start.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde::Serialize;

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
    /// `winbind_kerberos_encryption_type`.
    pub winbind_kerberos_encryption_type: EncryptionTypes,
    /// `winbind_set_machine_account_kerberos_encryption_type`: tell AD of them after a join.
    pub winbind_set_machine_account_kerberos_encryption_type: bool,
    /// `winbind_keep_configuration`: keep the joined smb.conf after a failed join or a disable.
    pub winbind_keep_configuration: bool,
    /// `winbind_machine_pwd_timeout`: age at which the machine account gets a new password.
    pub winbind_machine_pwd_timeout: Duration,
    /// `winbind_ldap_query_subject_timeout`: limit of the query of a user's attributes.
    pub winbind_ldap_query_subject_timeout: Duration,
    /// `winbind_update_closest_kdc_interval`: accepted, no effect any more.
    pub winbind_update_closest_kdc_interval: Duration,
    /// `serialize_auth_service` (landed): whether there is a plugin lock.
    pub serialize_auth_service: bool,
    /// `session_revalidation_interval`.
    pub session_revalidation_interval: Duration,
    /// `update_all_subjects_interval`.
    pub update_all_subjects_interval: Duration,
    /// `inactive_session_timeout`: how long a session may be idle.
    pub inactive_session_timeout: Duration,
    /// `winbind-tls-verify-peer` (design-v1): the `tls verify peer` line.
    pub winbind_tls_verify_peer: &'static str,
    /// `ad-warning-message-interval` (design-v1).
    pub ad_warning_message_interval: Duration,
}

/// Encryption types of Kerberos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionTypes {
    /// All that Samba knows.
    All,
    /// RC4 alone.
    Legacy,
    /// AES alone.
    Strong,
}

impl EncryptionTypes {
    const ALL: [Self; 3] = [Self::All, Self::Legacy, Self::Strong];

    /// The word in xapi.conf and smb.conf.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Legacy => "legacy",
            Self::Strong => "strong",
        }
    }

    /// The value of `msDS-SupportedEncryptionTypes`.
    pub const fn bits(self) -> u32 {
        match self {
            Self::All => 31,
            Self::Legacy => 4,
            Self::Strong => 24,
        }
    }
}

/// A value of a known item that cannot be used; the default stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IgnoredItem {
    /// The item.
    pub item: &'static str,
    /// The text.
    pub value: String,
}

impl XapiConf {
    /// Values without any file.
    pub fn default_in(profile: Profile) -> Self {
        let seconds = Duration::from_secs;
        Self {
            winbind_debug_level: DEBUG_LEVEL,
            winbind_cache_time: 60,
            winbind_scan_trusted_domains: false,
            winbind_kerberos_encryption_type: EncryptionTypes::Strong,
            winbind_set_machine_account_kerberos_encryption_type: false,
            winbind_keep_configuration: true,
            winbind_machine_pwd_timeout: seconds(1_209_600),
            winbind_ldap_query_subject_timeout: seconds(20),
            winbind_update_closest_kdc_interval: seconds(79_200),
            serialize_auth_service: profile == Profile::Landed,
            session_revalidation_interval: seconds(300),
            update_all_subjects_interval: seconds(900),
            inactive_session_timeout: seconds(86_400),
            winbind_tls_verify_peer: "ca_and_name_if_available",
            ad_warning_message_interval: seconds(604_800),
        }
    }

    /// Reads the files of a host, and tells which values cannot be used. Unknown keys are ignored
    /// without a word, as xapi does.
    pub fn load(root: &HostRoot, profile: Profile) -> Result<(Self, Vec<IgnoredItem>), HostError> {
        let mut text = root.read_text_if_present(PATH)?.unwrap_or_default();
        for name in root.list(FRAGMENTS)? {
            text.push('\n');
            text += &root.read_text_if_present(&format!("{FRAGMENTS}/{name}"))?.unwrap_or_default();
        }
        Ok(Self::parse(&text, profile))
    }

    fn parse(text: &str, profile: Profile) -> (Self, Vec<IgnoredItem>) {
        let mut items = Items { values: items(text), ignored: Vec::new() };
        let mut conf = Self::default_in(profile);
        // The last of those has one value: what else stands there is ignored like it.
        let mut backend = "winbind";
        items.read("winbind_debug_level", &mut conf.winbind_debug_level, |text| {
            let level: i64 = text.parse().ok()?;
            Some(u8::try_from(level).ok().filter(|level| *level <= 10).unwrap_or(DEBUG_LEVEL))
        });
        items.number("winbind_cache_time", &mut conf.winbind_cache_time);
        items.boolean("winbind_scan_trusted_domains", &mut conf.winbind_scan_trusted_domains);
        items.read(
            "winbind_kerberos_encryption_type",
            &mut conf.winbind_kerberos_encryption_type,
            |text| EncryptionTypes::ALL.into_iter().find(|types| types.name() == text),
        );
        items.boolean(
            "winbind_set_machine_account_kerberos_encryption_type",
            &mut conf.winbind_set_machine_account_kerberos_encryption_type,
        );
        items.boolean("winbind_keep_configuration", &mut conf.winbind_keep_configuration);
        items.seconds("winbind_machine_pwd_timeout", &mut conf.winbind_machine_pwd_timeout);
        items.seconds(
            "winbind_ldap_query_subject_timeout",
            &mut conf.winbind_ldap_query_subject_timeout,
        );
        items.seconds(
            "winbind_update_closest_kdc_interval",
            &mut conf.winbind_update_closest_kdc_interval,
        );
        items.word("extauth_ad_backend", &mut backend, &["winbind"]);
        items.seconds("session_revalidation_interval", &mut conf.session_revalidation_interval);
        items.seconds("update_all_subjects_interval", &mut conf.update_all_subjects_interval);
        items.seconds("inactive_session_timeout", &mut conf.inactive_session_timeout);
        match profile {
            Profile::DesignV1 => {
                let verify_peer = &mut conf.winbind_tls_verify_peer;
                items.word("winbind-tls-verify-peer", verify_peer, &VERIFY_PEER);
                items.seconds("ad-warning-message-interval", &mut conf.ad_warning_message_interval);
            }
            Profile::Landed => {
                items.boolean("serialize_auth_service", &mut conf.serialize_auth_service);
            }
        }
        (conf, items.ignored)
    }
}

const DEBUG_LEVEL: u8 = 2;

const VERIFY_PEER: [&str; 5] =
    ["no_check", "ca_only", "ca_and_name_if_available", "ca_and_name", "as_strict_as_possible"];

/// The last value of each key, and what could not be used.
struct Items<'a> {
    values: BTreeMap<&'a str, &'a str>,
    ignored: Vec<IgnoredItem>,
}

impl Items<'_> {
    /// Reads one item; a value that means nothing leaves `target` as it is.
    fn read<T>(&mut self, item: &'static str, target: &mut T, read: impl Fn(&str) -> Option<T>) {
        let Some(text) = self.values.get(item) else { return };
        match read(text) {
            Some(value) => *target = value,
            None => self.ignored.push(IgnoredItem { item, value: (*text).to_owned() }),
        }
    }

    fn boolean(&mut self, item: &'static str, target: &mut bool) {
        self.number(item, target);
    }

    fn number<T: FromStr>(&mut self, item: &'static str, target: &mut T) {
        self.read(item, target, |text| text.parse().ok());
    }

    fn seconds(&mut self, item: &'static str, target: &mut Duration) {
        self.read(item, target, |text| Duration::try_from_secs_f64(text.parse().ok()?).ok());
    }

    fn word(&mut self, item: &'static str, target: &mut &'static str, words: &[&'static str]) {
        self.read(item, target, |text| words.iter().copied().find(|word| *word == text));
    }
}

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

    fn parse(text: &str, profile: Profile) -> (XapiConf, Vec<IgnoredItem>) {
        XapiConf::parse(text, profile)
    }

    #[test]
    fn comments_and_quotes_are_taken_off() {
        let text = "# winbind_cache_time = 1\n\
                    winbind_cache_time='0' # none\n\
                    winbind_scan_trusted_domains = \"true\"\n\
                    winbind_kerberos_encryption_type = \"all'\n\
                    no item\n";
        let (conf, ignored) = parse(text, Profile::Landed);
        let expected = XapiConf {
            winbind_cache_time: 0,
            winbind_scan_trusted_domains: true,
            ..XapiConf::default_in(Profile::Landed)
        };
        assert_eq!(conf, expected);
        // Quotes that do not match stay, and so the word is unknown.
        let item = "winbind_kerberos_encryption_type";
        assert_eq!(ignored, [IgnoredItem { item, value: "\"all'".to_owned() }]);
    }

    #[test]
    fn every_item_has_its_effect() {
        let text = "winbind_debug_level = 10\n\
                    winbind_cache_time = -1\n\
                    winbind_scan_trusted_domains = true\n\
                    winbind_kerberos_encryption_type = legacy\n\
                    winbind_set_machine_account_kerberos_encryption_type = true\n\
                    winbind_keep_configuration = false\n\
                    winbind_machine_pwd_timeout = 86400.5\n\
                    winbind_ldap_query_subject_timeout = 1\n\
                    winbind_update_closest_kdc_interval = 2.\n\
                    extauth_ad_backend = winbind\n\
                    session_revalidation_interval = 3\n\
                    update_all_subjects_interval = 4\n\
                    inactive_session_timeout = 5\n\
                    serialize_auth_service = false\n\
                    winbind-tls-verify-peer = ca_only\n\
                    ad-warning-message-interval = 6\n";
        let (landed, ignored) = parse(text, Profile::Landed);
        assert_eq!(ignored, []);
        let seconds = Duration::from_secs;
        let expected = XapiConf {
            winbind_debug_level: 10,
            winbind_cache_time: -1,
            winbind_scan_trusted_domains: true,
            winbind_kerberos_encryption_type: EncryptionTypes::Legacy,
            winbind_set_machine_account_kerberos_encryption_type: true,
            winbind_keep_configuration: false,
            winbind_machine_pwd_timeout: Duration::from_millis(86_400_500),
            winbind_ldap_query_subject_timeout: seconds(1),
            winbind_update_closest_kdc_interval: seconds(2),
            serialize_auth_service: false,
            session_revalidation_interval: seconds(3),
            update_all_subjects_interval: seconds(4),
            inactive_session_timeout: seconds(5),
            ..XapiConf::default_in(Profile::Landed)
        };
        assert_eq!(landed, expected);
        let (design, ignored) = parse(text, Profile::DesignV1);
        assert_eq!(ignored, []);
        let expected = XapiConf {
            winbind_tls_verify_peer: "ca_only",
            ad_warning_message_interval: seconds(6),
            ..expected
        };
        assert_eq!(design, expected);
    }

    #[test]
    fn keys_are_matched_exactly() {
        let text = "winbind-keep-configuration = false\n\
                    winbind_tls_verify_peer = no_check\n\
                    Winbind_cache_time = 1\n";
        for profile in [Profile::DesignV1, Profile::Landed] {
            assert_eq!(parse(text, profile), (XapiConf::default_in(profile), Vec::new()));
        }
    }

    #[test]
    fn values_that_mean_nothing_leave_the_default() {
        for line in [
            "winbind_debug_level = high",
            "winbind_cache_time = 1.5",
            "winbind_scan_trusted_domains = yes",
            "winbind_kerberos_encryption_type = weak",
            "winbind_keep_configuration = FALSE",
            "winbind_machine_pwd_timeout = -1",
            "session_revalidation_interval = nan",
            "extauth_ad_backend = pbis",
            "winbind-tls-verify-peer = ca",
        ] {
            let (conf, ignored) = parse(line, Profile::DesignV1);
            assert_eq!(conf, XapiConf::default_in(Profile::DesignV1), "{line}");
            assert_eq!(ignored.len(), 1, "{line}");
        }
    }

    #[test]
    fn a_debug_level_out_of_range_is_two() {
        for (text, level) in [("12", 2), ("-1", 2), ("1000", 2), ("0", 0), ("10", 10)] {
            let (conf, ignored) = parse(&format!("winbind_debug_level={text}"), Profile::Landed);
            assert_eq!((conf.winbind_debug_level, ignored.len()), (level, 0), "{text}");
        }
    }

    #[test]
    fn fragments_come_after_the_file_in_order_of_names() {
        let directory = tempfile::tempdir().unwrap();
        let root = HostRoot::open(directory.path()).unwrap();
        let write = |path: &str, text: &str| root.write(path, text.as_bytes(), 0o644).unwrap();
        write("/etc/xapi.conf", "winbind_debug_level = 1\nwinbind-tls-verify-peer = ca_only");
        write("/etc/xapi.conf.d/20-b.conf", "winbind_debug_level = 10\n");
        write("/etc/xapi.conf.d/10-a.conf", "winbind_debug_level = 3\n");
        let (conf, _) = XapiConf::load(&root, Profile::DesignV1).unwrap();
        assert_eq!(conf.winbind_debug_level, 10);
        assert_eq!(conf.winbind_tls_verify_peer, "ca_only");
        assert!(!conf.serialize_auth_service);
    }
}
