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
            let text = self.prepared(&text);
            let mut found = false;
            let mut lines = Vec::new();
            for line in text.split('\n') {
                if self.is_of(line, address) {
                    found = true;
                    lines.push(self.with_names(line)?);
                } else {
                    lines.push(line.to_owned());
                }
            }
            let lines = lines.join("\n");
            let Self { name, full_name, .. } = self;
            Ok(if found { lines } else { format!("{address} {full_name} {name}\n{lines}") })
        })
    }

    /// Takes the names off the loopback lines, and the line away if nothing is left on it.
    pub(crate) fn remove(&self, text: &str) -> String {
        LOOPBACK.iter().fold(text.to_owned(), |text, address| {
            let text = self.prepared(&text);
            let lines: Vec<_> = text
                .split('\n')
                .filter_map(|line| {
                    if !self.is_of(line, address) {
                        return Some(line.to_owned());
                    }
                    let (words, aliases) = self.without_names(line);
                    (aliases > 0).then(|| words.join(" "))
                })
                .collect();
            lines.join("\n")
        })
    }

    fn prepared(&self, text: &str) -> String {
        if self.rough { text.to_lowercase() } else { text.to_owned() }
    }

    fn is_of(&self, line: &str, address: &str) -> bool {
        if self.rough {
            line.starts_with(address)
        } else {
            line.split_whitespace().next() == Some(address)
        }
    }

    /// The line with the two names before the first alias; the blanks after the address stay.
    fn with_names(&self, line: &str) -> Result<String, NoAlias> {
        let (mut words, aliases) = self.without_names(line);
        if aliases == 0 && self.rough {
            return Err(NoAlias { line: line.to_owned() });
        }
        let first_alias = 1 + words.iter().skip(1).take_while(|word| word.is_empty()).count();
        let added = [self.full_name.clone(), self.name.clone()];
        let added = added.map(|name| if self.rough { name.to_lowercase() } else { name });
        words.splice(first_alias.min(words.len())..first_alias.min(words.len()), added);
        Ok(words.join(" "))
    }

    /// The words of a line but for the two names, and how many of them are aliases.
    fn without_names(&self, line: &str) -> (Vec<String>, usize) {
        let own = |word: &str| {
            word.eq_ignore_ascii_case(&self.name) || word.eq_ignore_ascii_case(&self.full_name)
        };
        let words: Vec<_> = if self.rough {
            line.split(' ').filter(|word| !own(word)).map(str::to_owned).collect()
        } else {
            line.split_whitespace().filter(|word| !own(word)).map(str::to_owned).collect()
        };
        let aliases = words.iter().skip(1).filter(|word| !word.is_empty()).count();
        (words, aliases)
    }
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
             127.0.0.10 host1.corp.example host1 printer\n10.0.0.1 nas\n"
        );
        assert_eq!(
            by_fields().add(text).unwrap(),
            "127.0.0.1 Host1.Corp.example Host1 LocalHost\n\
             ::1 Host1.Corp.example Host1 localhost\n127.0.0.10 Printer\n10.0.0.1 NAS\n"
        );
        // A tab after the address hides the first alias.
        assert_eq!(
            rough().add("127.0.0.1\tlocalhost x\n::1 y").unwrap(),
            "127.0.0.1\tlocalhost host1.corp.example host1 x\n::1 host1.corp.example host1 y"
        );
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
