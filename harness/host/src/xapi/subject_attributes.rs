//! What a subject stores of its account (xapi-flows.md §11.5), and what follows from it.
//!
//! Values in, a map of texts out: nothing here asks AD.

use std::collections::BTreeMap;

use crate::xapi::{uid_info::UidInfo, user_attributes::UserAttributes};

/// Keys and values as `subject.other_config` holds them.
pub(crate) type SubjectAttributes = BTreeMap<String, String>;

/// Key of the account's name.
pub(crate) const NAME: &str = "subject-name";
/// Key that tells groups from users.
pub(crate) const IS_GROUP: &str = "subject-is-group";

/// The flags of a suspended account, and what they say.
const SUSPENSIONS: [(&str, &str); 4] = [
    ("subject-account-disabled", "the account is disabled"),
    ("subject-account-expired", "the account has expired"),
    ("subject-account-locked", "the account is locked out"),
    ("subject-password-expired", "the password has expired"),
];

/// What winbind says of an account whose GECOS field is empty.
const NO_GECOS: &str = "<null>";

/// A user: what `wbinfo --uid-info` says of it, and AD unless it could not be asked.
#[derive(Clone, Debug)]
pub(crate) struct User<'a> {
    pub(crate) info: &'a UidInfo,
    /// −1 if winbind has none.
    pub(crate) uid: i64,
    /// The two parts of the SAM name.
    pub(crate) netbios: &'a str,
    pub(crate) account: &'a str,
    /// DNS name of the domain, if it could be found.
    pub(crate) domain: Option<&'a str>,
    /// Without it the four flags are all false.
    pub(crate) attributes: Option<UserAttributes>,
}

impl User<'_> {
    /// What a subject of this user stores.
    pub(crate) fn stored(&self) -> SubjectAttributes {
        let User { info, netbios, account, .. } = self;
        let text = |read: fn(&UserAttributes) -> &str| {
            self.attributes.as_ref().map(read).filter(|text| !text.is_empty())
        };
        let flag = |read: fn(&UserAttributes) -> bool| {
            self.attributes.as_ref().is_some_and(read).to_string()
        };
        let gecos = Some(info.gecos.as_str()).filter(|gecos| !["", NO_GECOS].contains(gecos));
        let display_name = text(|user| &user.display_name)
            .or(gecos)
            .map_or_else(|| info.user_name.clone(), |name| format!("{netbios}\\{name}"));
        let upn = text(|user| &user.upn).map_or_else(
            || format!("{account}@{}", self.domain.unwrap_or("unknown")),
            str::to_owned,
        );
        attributes([
            (NAME, info.user_name.clone()),
            ("subject-gecos", info.gecos.clone()),
            ("subject-displayname", display_name),
            ("subject-uid", self.uid.to_string()),
            ("subject-gid", info.gid.to_string()),
            ("subject-upn", upn),
            ("subject-account-disabled", flag(|user| user.account_disabled)),
            ("subject-account-locked", flag(|user| user.account_locked)),
            ("subject-account-expired", flag(|user| user.account_expired)),
            ("subject-password-expired", flag(|user| user.password_expired)),
            (IS_GROUP, false.to_string()),
        ])
    }
}

/// What a subject of a group stores. `gid` is −1 if winbind has none.
pub(crate) fn group(name: &str, gid: i64, sid: &str) -> SubjectAttributes {
    attributes([
        (NAME, name.to_owned()),
        ("subject-gid", gid.to_string()),
        ("subject-sid", sid.to_owned()),
        (IS_GROUP, true.to_string()),
    ])
}

/// Whether an account is disabled, expired, locked out, or has an expired password.
pub(crate) fn is_suspended(attributes: &SubjectAttributes) -> bool {
    suspension(attributes).is_some()
}

/// Why an account is suspended. What is not known to be fine counts as suspended.
pub(crate) fn suspension(attributes: &SubjectAttributes) -> Option<&'static str> {
    let is_fine =
        |key| attributes.get(key).is_some_and(|value: &String| value.to_lowercase() == "false");
    SUSPENSIONS.into_iter().find(|(key, _)| !is_fine(*key)).map(|(_, reason)| reason)
}

fn attributes<const N: usize>(pairs: [(&str, String); N]) -> SubjectAttributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(gecos: &str) -> UidInfo {
        UidInfo {
            user_name: "CORP\\alice".to_owned(),
            uid: 2_001_104,
            gid: 2_000_513,
            gecos: gecos.to_owned(),
        }
    }

    fn stored(gecos: &str, domain: Option<&str>, ad: Option<(&str, &str)>) -> SubjectAttributes {
        let attributes = ad.map(|(display_name, upn)| UserAttributes {
            name: "Alice".to_owned(),
            upn: upn.to_owned(),
            display_name: display_name.to_owned(),
            account_disabled: true,
            account_expired: false,
            account_locked: false,
            password_expired: true,
        });
        let info = info(gecos);
        User { info: &info, uid: 7, netbios: "CORP", account: "alice", domain, attributes }.stored()
    }

    /// Lines `key: value`.
    fn text(attributes: &SubjectAttributes) -> String {
        attributes.iter().map(|(key, value)| format!("{key}: {value}\n")).collect()
    }

    #[test]
    fn a_user_stores_eleven_attributes() {
        let domain = Some("corp.example");
        insta::assert_snapshot!(text(&stored("A. Lice", domain, Some(("Alice A.", "al@corp")))), @r"
        subject-account-disabled: true
        subject-account-expired: false
        subject-account-locked: false
        subject-displayname: CORP\Alice A.
        subject-gecos: A. Lice
        subject-gid: 2000513
        subject-is-group: false
        subject-name: CORP\alice
        subject-password-expired: true
        subject-uid: 7
        subject-upn: al@corp
        ");
    }

    #[test]
    fn a_user_of_whom_ad_says_nothing_has_no_flag_set() {
        insta::assert_snapshot!(text(&stored("<null>", None, None)), @r"
        subject-account-disabled: false
        subject-account-expired: false
        subject-account-locked: false
        subject-displayname: CORP\alice
        subject-gecos: <null>
        subject-gid: 2000513
        subject-is-group: false
        subject-name: CORP\alice
        subject-password-expired: false
        subject-uid: 7
        subject-upn: alice@unknown
        ");
    }

    #[test]
    fn a_group_stores_four_attributes() {
        insta::assert_snapshot!(text(&group("CORP\\admins", -1, "S-1-5-21-1-2-3-1200")), @r"
        subject-gid: -1
        subject-is-group: true
        subject-name: CORP\admins
        subject-sid: S-1-5-21-1-2-3-1200
        ");
    }

    #[test]
    fn the_display_name_falls_back_to_the_gecos_and_then_to_the_sam_name() {
        let name = |gecos, ad| {
            let stored = stored(gecos, Some("corp.example"), ad);
            stored.get("subject-displayname").cloned().unwrap()
        };
        assert_eq!(name("A. Lice", Some(("Alice A.", ""))), "CORP\\Alice A.");
        assert_eq!(name("A. Lice", Some(("", ""))), "CORP\\A. Lice");
        assert_eq!(name("A. Lice", None), "CORP\\A. Lice");
        assert_eq!(name("", Some(("", ""))), "CORP\\alice");
        let upn = stored("", Some("corp.example"), Some(("", "")));
        assert_eq!(upn.get("subject-upn").unwrap(), "alice@corp.example");
    }

    #[test]
    fn only_the_word_false_clears_a_flag() {
        let fine = stored("", None, None);
        assert!(!is_suspended(&fine));
        for (key, _) in SUSPENSIONS {
            let with = |value: Option<&str>| {
                let mut changed = fine.clone();
                changed.remove(key);
                changed.extend(value.map(|value| (key.to_owned(), value.to_owned())));
                is_suspended(&changed)
            };
            assert!(!with(Some("FALSE")));
            assert!(with(Some("no")) && with(Some(" false")) && with(Some("")) && with(None));
        }
    }
}
