//! Editing `/etc/hosts` when a host joins or leaves a domain (xapi-flows.md §6.10).
//!
//! Text in, text out. With quirk Q26 the edit is the one of the released toolstack, which splits
//! lines at single blanks, lower-cases everything and takes a prefix for an address.

use crate::{Quirk, Quirks};

/// Path of the file.
pub(crate) const PATH: &str = "/etc/hosts";

/// The content that a host is installed with.
pub(crate) const INSTALLED: &str = "\
127.0.0.1   localhost localhost.localdomain localhost4 localhost4.localdomain4
::1         localhost localhost.localdomain localhost6 localhost6.localdomain6
";

const LOOPBACK: [&str; 2] = ["127.0.0.1", "::1"];

/// The two names of a host in its file, and how lines are read.
#[derive(Clone, Debug)]
pub(crate) struct HostsEditor {
    name: String,
    full_name: String,
    rough: bool,
}

/// A loopback line with nothing but the address and the host's own names (quirk Q26).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line `{line}` of /etc/hosts holds no other name")]
pub(crate) struct NoAlias {
    line: String,
}

impl HostsEditor {
    pub(crate) fn new(name: &str, domain: &str, quirks: &Quirks) -> Self {
        Self {
            name: name.to_owned(),
            full_name: format!("{name}.{domain}"),
            rough: quirks.has(Quirk::HostsFileRoughEdges),
        }
    }

    /// Puts the names on the loopback lines, before the first alias.
    pub(crate) fn add(&self, text: &str) -> Result<String, NoAlias> {
        LOOPBACK.iter().try_fold(text.to_owned(), |text, address| {
            let lines = self.lines(&text);
            let lines: Vec<_> = lines
                .iter()
                .map(|line| {
                    if self.is_of(line, address) {
                        self.with_names(line, address)
                    } else {
                        Ok(line.clone())
                    }
                })
                .collect::<Result<_, _>>()?;
            // A line that the rough edit has mangled is no line of the address any more.
            let found = lines.iter().any(|line| self.is_of(line, address));
            let Self { name, full_name, .. } = self;
            let new = (!found).then(|| format!("{address} {full_name} {name}"));
            Ok(joined(new.into_iter().chain(lines)))
        })
    }

    /// Takes the names off the loopback lines, and the line away if nothing is left on it.
    pub(crate) fn remove(&self, text: &str) -> String {
        LOOPBACK.iter().fold(text.to_owned(), |text, address| {
            let lines = self.lines(&text).into_iter().map(|line| {
                if self.is_of(&line, address) { self.without_names(&line).join(" ") } else { line }
            });
            joined(lines.filter(|line| line.trim() != *address))
        })
    }

    /// The lines of a file, whether or not its last one ends.
    fn lines(&self, text: &str) -> Vec<String> {
        let lines = text.strip_suffix('\n').unwrap_or(text);
        if lines.is_empty() {
            return Vec::new();
        }
        let line = |line: &str| if self.rough { line.to_lowercase() } else { line.to_owned() };
        lines.split('\n').map(line).collect()
    }

    fn is_of(&self, line: &str, address: &str) -> bool {
        if self.rough {
            line.starts_with(address)
        } else {
            line.split_whitespace().next() == Some(address)
        }
    }

    /// The line with the two names before the first alias; the blanks after the address stay. The
    /// rough edit takes the first word that is neither empty nor the address for that alias: of
    /// `127.0.0.10 printer`, and of a line with a tab after the address, that is the first word.
    fn with_names(&self, line: &str, address: &str) -> Result<String, NoAlias> {
        let mut words = self.without_names(line);
        let is_before = |word: &String| word.is_empty() || word == address;
        let first_alias = words.iter().take_while(|word| is_before(word)).count();
        if first_alias == words.len() && self.rough {
            return Err(NoAlias { line: line.to_owned() });
        }
        let added = [self.full_name.clone(), self.name.clone()];
        let added = added.map(|name| if self.rough { name.to_lowercase() } else { name });
        words.splice(first_alias..first_alias, added);
        Ok(words.join(" "))
    }

    /// The words of a line but for the two names.
    fn without_names(&self, line: &str) -> Vec<String> {
        let own = |word: &&str| {
            word.eq_ignore_ascii_case(&self.name) || word.eq_ignore_ascii_case(&self.full_name)
        };
        let words = |words: &mut dyn Iterator<Item = &str>| {
            words.filter(|word| !own(word)).map(str::to_owned).collect()
        };
        if self.rough { words(&mut line.split(' ')) } else { words(&mut line.split_whitespace()) }
    }
}

/// A file always ends with a line feed.
fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn rough() -> HostsEditor {
        HostsEditor::new("Host1", "Corp.example", &Quirks::of(Profile::Landed))
    }

    fn by_fields() -> HostsEditor {
        HostsEditor::new("Host1", "Corp.example", &Quirks::of(Profile::DesignV1))
    }

    #[test]
    fn names_come_before_the_first_alias_and_go_again() {
        let joined = rough().add(INSTALLED).unwrap();
        assert_eq!(
            joined,
            "127.0.0.1   host1.corp.example host1 localhost localhost.localdomain localhost4 \
             localhost4.localdomain4\n\
             ::1         host1.corp.example host1 localhost localhost.localdomain localhost6 \
             localhost6.localdomain6\n"
        );
        assert_eq!(rough().add(&joined).unwrap(), joined);
        assert_eq!(rough().remove(&joined), INSTALLED);
    }

    #[test]
    fn the_rough_edit_spoils_other_lines() {
        let text = "127.0.0.1 LocalHost\n::1 localhost\n127.0.0.10 Printer\n10.0.0.1 NAS\n";
        assert_eq!(
            rough().add(text).unwrap(),
            "127.0.0.1 host1.corp.example host1 localhost\n\
             ::1 host1.corp.example host1 localhost\n\
             host1.corp.example host1 127.0.0.10 printer\n10.0.0.1 nas\n"
        );
        assert_eq!(
            by_fields().add(text).unwrap(),
            "127.0.0.1 Host1.Corp.example Host1 LocalHost\n\
             ::1 Host1.Corp.example Host1 localhost\n127.0.0.10 Printer\n10.0.0.1 NAS\n"
        );
    }

    #[test]
    fn a_tab_after_the_address_mangles_the_line() {
        // The mangled line no longer begins with the address, so that there is a new one.
        assert_eq!(
            rough().add("127.0.0.1\tlocalhost x\n::1 y").unwrap(),
            "127.0.0.1 host1.corp.example host1\n\
             host1.corp.example host1 127.0.0.1\tlocalhost x\n\
             ::1 host1.corp.example host1 y\n"
        );
        assert_eq!(
            by_fields().add("127.0.0.1\tlocalhost x\n::1 y").unwrap(),
            "127.0.0.1 Host1.Corp.example Host1 localhost x\n::1 Host1.Corp.example Host1 y\n"
        );
    }

    #[test]
    fn nothing_but_an_address_fails_the_rough_add() {
        for line in ["127.0.0.1", "127.0.0.1 ", "127.0.0.1 host1", "127.0.0.1  HOST1.corp.example"]
        {
            let text = format!("{line}\n::1 localhost\n");
            assert!(rough().add(&text).is_err(), "{line}");
            assert!(by_fields().add(&text).is_ok(), "{line}");
        }
    }

    #[test]
    fn a_line_left_with_only_the_address_is_dropped() {
        let text = "127.0.0.1 host1.corp.example HOST1\n::1  host1 localhost\n10.0.0.1 host1\n";
        assert_eq!(rough().remove(text), "::1  localhost\n10.0.0.1 host1\n");
        assert_eq!(by_fields().remove(text), "::1 localhost\n10.0.0.1 host1\n");
    }

    #[test]
    fn a_line_of_its_own_makes_the_second_add_fail() {
        let first = rough().add("").unwrap();
        assert_eq!(first, "::1 Host1.Corp.example Host1\n127.0.0.1 host1.corp.example host1\n");
        assert!(rough().add(&first).is_err());
        assert_eq!(rough().remove(&first), "");
        let first = by_fields().add("").unwrap();
        assert_eq!(by_fields().add(&first).unwrap(), first);
    }
}
