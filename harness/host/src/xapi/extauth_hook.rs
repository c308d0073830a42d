//! The extauth hook: the login configuration of the host follows its membership.
//!
//! The real one is a script (xen-api, `extauth-hook` and `extauth-hook-AD.py`) that edits PAM, sshd
//! and name service files. Of these the name service switch is kept here: it decides whether
//! accounts of the domain are known on the host, and it is a file whose loss makes the hook fail.

use crate::{HostError, facts::HookRan, xapi::on_host::OnHost};

const NSSWITCH: &str = "/etc/nsswitch.conf";

/// The databases that winbind can answer for.
const DATABASES: [&str; 2] = ["passwd", "group"];

impl OnHost<'_> {
    /// Runs it, for the reason that the log shows.
    pub(crate) fn run_extauth_hook(&self, reason: &'static str) -> Result<(), HostError> {
        self.trail.record(HookRan { reason });
        let joined = match reason {
            "after-extauth-enable" => true,
            "before-extauth-disable" => false,
            _ => self.record().is_ok_and(|host| !host.external_auth_type.is_empty()),
        };
        let root = self.host.root();
        let former = root.read_text_if_present(NSSWITCH)?;
        let text = switched(former.as_deref().unwrap_or("passwd: files\ngroup: files\n"), joined);
        if former.as_deref() == Some(&text) || (former.is_none() && !joined) {
            return Ok(());
        }
        root.write(NSSWITCH, text.as_bytes(), 0o644)
    }
}

/// The file with winbind as the last source of accounts, or without it.
fn switched(text: &str, joined: bool) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((database, sources)) if DATABASES.contains(&database.trim()) => {
            let known = sources.split_whitespace().filter(|source| *source != "winbind");
            let sources: Vec<_> = known.chain(joined.then_some("winbind")).collect();
            format!("{database}: {}\n", sources.join(" "))
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winbind_comes_last_and_goes_again() {
        let text = "# sources\npasswd:     files sss\ngroup: files\nhosts: files dns\n";
        let joined = switched(text, true);
        let expected =
            "# sources\npasswd: files sss winbind\ngroup: files winbind\nhosts: files dns\n";
        assert_eq!(joined, expected);
        assert_eq!(switched(&joined, true), expected);
        assert_eq!(switched(&joined, false), expected.replace(" winbind", ""));
    }
}
