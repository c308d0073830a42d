//! Reading what `net ads sid` prints of a user (xapi-flows.md §6.7).
//!
//! Text and time in, values out: nothing here runs a program. xapi reads the reply with a parser
//! whose edges matter: a blank line between two attributes becomes a part of the next key, and a
//! base64 value (`key:: …`) spoils the whole reply.

use std::collections::BTreeMap;

use ground::Timestamp;

use crate::xapi::plugin::PluginError;

/// What AD says of a user, judged at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserAttributes {
    /// `name`; empty if AD sends none.
    pub(crate) name: String,
    /// `userPrincipalName`; empty if AD sends none.
    pub(crate) upn: String,
    /// `displayName`; empty if AD sends none.
    pub(crate) display_name: String,
    /// Bit 0x2 of `userAccountControl`.
    pub(crate) account_disabled: bool,
    /// `accountExpires` is in the past.
    pub(crate) account_expired: bool,
    /// `lockoutTime` is not 0.
    pub(crate) account_locked: bool,
    /// `msDS-UserPasswordExpiryTimeComputed` is 0 or in the past.
    pub(crate) password_expired: bool,
}

/// The attributes that xapi asks for, in its order.
pub(crate) const ATTRIBUTES: [&str; 7] = [
    "name",
    "userPrincipalName",
    "displayName",
    "userAccountControl",
    "accountExpires",
    "msDS-UserPasswordExpiryTimeComputed",
    "lockoutTime",
];

const ACCOUNT_DISABLED: i32 = 0x2;

/// `accountExpires` and the computed expiry of a password: never.
const NEVER: i64 = i64::MAX;

/// Units of 100 ns in a second, and seconds from 1601 to 1970.
const UNITS_PER_SECOND: i64 = 10_000_000;
const SECONDS_BEFORE_1970: i64 = 11_644_473_600;

/// Reads the reply of `net ads sid`. Every failure is a generic one that names what is wrong.
pub(crate) fn parse_user_attributes(
    stdout: &str,
    now: Timestamp,
) -> Result<UserAttributes, PluginError> {
    let values = key_values(stdout)
        .map_err(|cause| PluginError::generic(format!("the reply cannot be read: {cause}")))?;
    let text = |key: &str| values.get(key).copied().unwrap_or_default().to_owned();
    let control: i32 = required(&values, "userAccountControl")?;
    let account_expires: i64 = required(&values, "accountExpires")?;
    let number = |key: &str| values.get(key).and_then(|value| value.parse::<i64>().ok());
    let password_expires = number("msDS-UserPasswordExpiryTimeComputed").unwrap_or(NEVER);
    Ok(UserAttributes {
        name: text("name"),
        upn: text("userPrincipalName"),
        display_name: text("displayName"),
        account_disabled: control & ACCOUNT_DISABLED != 0,
        account_expired: account_expires != 0 && is_past(account_expires, now),
        account_locked: number("lockoutTime").unwrap_or(0) != 0,
        password_expired: password_expires == 0 || is_past(password_expires, now),
    })
}

/// Whether a time of AD is strictly earlier than now; xapi's clock has fractions of a second.
fn is_past(file_time: i64, now: Timestamp) -> bool {
    let seconds = (file_time / UNITS_PER_SECOND).saturating_sub(SECONDS_BEFORE_1970);
    file_time != NEVER && seconds.saturating_mul(1_000_000) < now.unix_micros()
}

fn required<T: std::str::FromStr>(
    values: &BTreeMap<&str, &str>,
    key: &str,
) -> Result<T, PluginError> {
    let value = values
        .get(key)
        .ok_or_else(|| PluginError::generic(format!("the reply lacks the key `{key}`")))?;
    value.parse().map_err(|_| {
        PluginError::generic(format!("the value `{value}` of the key `{key}` is not a number"))
    })
}

/// The header `Got 1 replies` and the lines after it; the last of repeated keys counts.
fn key_values(stdout: &str) -> Result<BTreeMap<&str, &str>, String> {
    let header = stdout.trim_start_matches(is_blank).strip_prefix("Got ");
    let (count, rest) = header
        .and_then(|rest| rest.split_once(' '))
        .and_then(|(count, rest)| Some((count, rest.strip_prefix("replies")?)))
        .ok_or("it does not begin with `Got <n> replies`")?;
    if count != "1" {
        return Err(format!("it holds {count} replies, expected 1"));
    }
    let mut rest = rest.trim_start_matches(is_blank);
    let mut values = BTreeMap::new();
    // A key runs up to the next colon, over line ends too.
    while !rest.trim_start_matches(is_blank).is_empty() {
        let (key, value, after) = pair(rest).ok_or_else(|| {
            let line = rest.trim_start_matches(is_blank).lines().next().unwrap_or_default();
            format!("`{line}` is not of the form `key: value`")
        })?;
        values.insert(key, value);
        rest = after;
    }
    Ok(values)
}

/// The first `key: value` of a text, and what follows its line end.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.split_once(':')?;
    let rest = rest.strip_prefix(' ')?;
    let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let (value, after) = rest.split_at(end);
    let after = match after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')) {
        Some(after) => after,
        None if after.is_empty() => after,
        // A carriage return by itself is no line end.
        None => return None,
    };
    Some((key, value, after))
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\n' | '\t' | '\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_787_277_623);

    fn file_time(seconds: i64) -> i64 {
        (seconds + SECONDS_BEFORE_1970) * UNITS_PER_SECOND
    }

    fn reply(lines: &[&str]) -> String {
        format!("Got 1 replies\n\n{}\n", lines.join("\n"))
    }

    fn parsed(lines: &[&str]) -> Result<UserAttributes, PluginError> {
        parse_user_attributes(&reply(lines), NOW)
    }

    fn message(text: &str) -> String {
        parse_user_attributes(text, NOW).unwrap_err().message
    }

    #[test]
    fn a_healthy_user_has_no_flag() {
        let user = parsed(&[
            "name: alice",
            "userPrincipalName: alice@corp.example",
            "displayName: Alice A.",
            "userAccountControl: 512",
            "accountExpires: 9223372036854775807",
            "msDS-UserPasswordExpiryTimeComputed: 9223372036854775807",
            "lockoutTime: 0",
        ])
        .unwrap();
        let expected = UserAttributes {
            name: "alice".to_owned(),
            upn: "alice@corp.example".to_owned(),
            display_name: "Alice A.".to_owned(),
            account_disabled: false,
            account_expired: false,
            account_locked: false,
            password_expired: false,
        };
        assert_eq!(user, expected);
    }

    #[test]
    fn names_password_expiry_and_lockout_may_be_absent() {
        let user = parsed(&["userAccountControl: 512", "accountExpires: 0"]).unwrap();
        assert_eq!((&*user.name, &*user.upn, &*user.display_name), ("", "", ""));
        assert!(!user.password_expired && !user.account_locked && !user.account_expired);
        let user = parsed(&[
            "userAccountControl: 512",
            "accountExpires: 0",
            "msDS-UserPasswordExpiryTimeComputed: soon",
            "lockoutTime: never",
        ])
        .unwrap();
        assert!(!user.password_expired && !user.account_locked);
    }

    #[test]
    fn flags_follow_the_numbers() {
        let user = |control: i64, expires: i64, password: i64, lockout: i64| {
            parsed(&[
                &format!("userAccountControl: {control}"),
                &format!("accountExpires: {expires}"),
                &format!("msDS-UserPasswordExpiryTimeComputed: {password}"),
                &format!("lockoutTime: {lockout}"),
            ])
            .unwrap()
        };
        assert!(user(514, 0, NEVER, 0).account_disabled);
        assert!(user(512, 0, 0, 0).password_expired);
        assert!(user(512, 0, NEVER, 1).account_locked);
        // Past is strictly earlier than now; fractions of a second are cut.
        let now = NOW.unix();
        for (seconds, past) in [(now - 1, true), (now, false), (now + 1, false)] {
            let user = user(512, file_time(seconds) + 9_999_999, file_time(seconds), 0);
            assert_eq!((user.account_expired, user.password_expired), (past, past));
        }
    }

    #[test]
    fn numbers_have_the_width_of_the_attribute() {
        let control = |value: &str| {
            parsed(&[&format!("userAccountControl: {value}"), "accountExpires: 0"]).is_ok()
        };
        assert!(control("-2147483648") && control("2147483647"));
        assert!(!control("2147483648") && !control("x") && !control(""));
    }

    #[test]
    fn a_missing_or_invalid_key_is_named() {
        assert_eq!(
            parsed(&["accountExpires: 0"]).unwrap_err().message,
            "the reply lacks the key `userAccountControl`"
        );
        assert_eq!(
            parsed(&["userAccountControl: 512", "accountExpires: x"]).unwrap_err().message,
            "the value `x` of the key `accountExpires` is not a number"
        );
    }

    #[test]
    fn there_must_be_exactly_one_reply() {
        for count in ["0", "2", "01", "", "one"] {
            let text = format!("Got {count} replies\n\nuserAccountControl: 1\naccountExpires: 0\n");
            assert!(message(&text).ends_with(&format!("it holds {count} replies, expected 1")));
        }
        for text in ["", "no reply", "Got 1 reply\n", "got 1 replies"] {
            assert!(message(text).ends_with("it does not begin with `Got <n> replies`"));
        }
    }

    #[test]
    fn every_line_after_the_header_is_a_key_one_blank_and_a_value() {
        let good = "\n\t Got 1 replies \r\n\n userAccountControl: 512\r\naccountExpires: 0";
        assert!(parse_user_attributes(good, NOW).is_ok());
        let required = "userAccountControl: 512\naccountExpires: 0\n";
        for bad in ["displayName:: QWxpY2U=", "displayName:", "displayName", "a: b\rc"] {
            let text = format!("Got 1 replies\n\n{required}{bad}\n");
            assert!(message(&text).ends_with("is not of the form `key: value`"), "{bad}");
        }
        // An empty value needs its blank.
        let text = format!("Got 1 replies\n\n{required}displayName: \n");
        assert_eq!(parse_user_attributes(&text, NOW).unwrap().display_name, "");
    }

    #[test]
    fn a_blank_line_becomes_a_part_of_the_next_key() {
        let text = "Got 1 replies\n\nuserAccountControl: 512\n\naccountExpires: 0\n\n";
        assert_eq!(message(text), "the reply lacks the key `accountExpires`");
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let lines = ["userAccountControl: 514", "accountExpires: 0", "userAccountControl: 512"];
        assert!(!parsed(&lines).unwrap().account_disabled);
    }

    proptest! {
        #[test]
        fn nothing_that_a_program_prints_makes_it_panic(text in "(Got 1 replies\n)?(\\PC|[\n\r :])*") {
            let _ = parse_user_attributes(&text, NOW);
        }
    }
}
