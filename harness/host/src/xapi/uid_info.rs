//! Reading the line of `wbinfo --uid-info` (xapi-flows.md §6.8).

/// A user as the host's name service knows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UidInfo {
    /// Account name, `DOMAIN\name`.
    pub(crate) user_name: String,
    /// Number of the user.
    pub(crate) uid: i64,
    /// Number of its primary group.
    pub(crate) gid: i64,
    /// The field for people; it may hold colons.
    pub(crate) gecos: String,
}

/// Reads `name:password:uid:gid:GECOS:home:shell`, where the GECOS may itself hold colons; `None`
/// if a number is none or there are too few fields.
pub(crate) fn parse_uid_info(stdout: &str) -> Option<UidInfo> {
    let fields: Vec<_> = stdout.split(':').collect();
    let [user_name, _password, uid, gid, gecos @ .., _home, _shell] = fields.as_slice() else {
        return None;
    };
    Some(UidInfo {
        user_name: (*user_name).to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: gecos.join(":"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gecos(line: &str) -> Option<String> {
        Some(parse_uid_info(line)?.gecos)
    }

    #[test]
    fn a_line_is_that_of_a_passwd_file() {
        let line = "CORP\\alice:*:2001104:2000513:Alice A.:/home/CORP/alice:/bin/bash\n";
        let expected = UidInfo {
            user_name: "CORP\\alice".to_owned(),
            uid: 2_001_104,
            gid: 2_000_513,
            gecos: "Alice A.".to_owned(),
        };
        assert_eq!(parse_uid_info(line), Some(expected));
    }

    #[test]
    fn the_gecos_is_everything_between_the_numbers_and_the_last_two_fields() {
        assert_eq!(gecos("u:*:1:2:a:b::c:/home:/bin/sh").as_deref(), Some("a:b::c"));
        assert_eq!(gecos("u:*:1:2::/home:/bin/sh").as_deref(), Some(""));
        assert_eq!(gecos("u:*:1:2:/home:/bin/sh").as_deref(), Some(""));
    }

    #[test]
    fn numbers_and_fields_must_be_there() {
        for line in ["", "u", "u:*:1:2:/home", "u:*:x:2:g:/home:/bin/sh", "u:*:1::g:/home:/bin/sh"]
        {
            assert_eq!(parse_uid_info(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn colons_in_the_gecos_survive(gecos in "[^\n]*", uid: i64, gid: i64) {
            let line = format!("CORP\\u:*:{uid}:{gid}:{gecos}:/home:/bin/sh\n");
            let info = parse_uid_info(&line).unwrap();
            prop_assert_eq!((info.uid, info.gid, info.gecos), (uid, gid, gecos));
        }
    }
}
