//! A verdict as text for people: the chain as a tree with the fault marked, then the rest.

use std::fmt::{self, Write};

use crate::{
    reason::{Check, Reason},
    verdict::{Link, Verdict},
};

/// `winbind_debug_level` of xapi 26.16, by default.
const XAPI_DEBUG_LEVEL: u8 = 2;

impl Verdict {
    /// The whole verdict as text of several lines, with the words at the debug level of xapi's
    /// commands. Nothing is coloured.
    pub fn explain(&self) -> String {
        self.explain_at(XAPI_DEBUG_LEVEL)
    }

    /// [`Self::explain`] with Samba's words at another debug level (`-d`).
    pub fn explain_at(&self, debug_level: u8) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, debug_level);
        text
    }

    fn write(&self, out: &mut String, debug_level: u8) -> fmt::Result {
        write!(out, "{}", self.class.name())?;
        if !self.status.is_empty() {
            write!(out, " {} {}", self.status, self.flags.join(" "))?;
        }
        if let Some(error) = self.gnutls {
            write!(out, " {error}")?;
        }
        writeln!(out, " {}", self.ntstatus)?;
        let peer = self.peer.as_ref().map_or("(no name)", |peer| peer.as_str());
        write!(out, "peer {peer}, tls verify peer = {}", self.mode)?;
        match self.at {
            Some(at) => writeln!(out, ", at {at}")?,
            None => writeln!(out)?,
        }
        self.write_chain(out)?;
        let elsewhere: Vec<_> =
            self.reasons.iter().filter(|reason| reason.certificate.is_none()).collect();
        if !elsewhere.is_empty() {
            writeln!(out, "\nfault")?;
            for reason in elsewhere {
                write_reason(out, "  ", reason)?;
            }
        }
        let words = self.words(debug_level);
        if !words.stderr.is_empty() {
            writeln!(out, "\nSamba says")?;
            for line in words.stderr {
                writeln!(out, "  {line}")?;
            }
        }
        if !self.other_modes.is_empty() {
            writeln!(out, "\nother modes")?;
            for other in &self.other_modes {
                write!(out, "  {}: {}", other.mode, other.class.name())?;
                if !other.status.is_empty() {
                    write!(out, " {}", other.status)?;
                }
                writeln!(out)?;
            }
        }
        if !self.advice.is_empty() {
            writeln!(out, "\nadvice")?;
            for advice in &self.advice {
                writeln!(out, "  - {}", advice.text)?;
            }
        }
        Ok(())
    }

    fn write_chain(&self, out: &mut String) -> fmt::Result {
        if self.chain.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nchain")?;
        let mut path: Vec<&Link> = self.chain.iter().filter(|link| link.step.is_some()).collect();
        path.sort_by_key(|link| std::cmp::Reverse(link.step));
        let mut depth = 0;
        if let Some(anchor) = path.first().and_then(|top| top.anchor.as_ref()) {
            writeln!(out, "  anchor {anchor} [{}]", anchor.fingerprint.short())?;
            depth = 1;
        }
        for link in path {
            self.write_link(out, depth, link)?;
            depth += 1;
        }
        for link in self.chain.iter().filter(|link| link.step.is_none()) {
            let is_judged = self.chain.iter().any(|link| link.step.is_some());
            write!(out, "  {}", if is_judged { "not used: " } else { "" })?;
            self.write_link(out, 0, link)?;
        }
        Ok(())
    }

    fn write_link(&self, out: &mut String, depth: usize, link: &Link) -> fmt::Result {
        let mut indent = "  ".repeat(depth + 1);
        if link.step.is_some() {
            write!(out, "{indent}")?;
        }
        if depth > 0 {
            write!(out, "└─ ")?;
            indent.push_str("   ");
        }
        let subject = match link.subject.as_deref() {
            None => "cannot be read",
            Some("") => "(no subject)",
            Some(subject) => subject,
        };
        write!(out, "#{} {subject} [{}]", link.position, link.fingerprint.short())?;
        if let Some((from, to)) = link.validity {
            write!(out, " {from} to {to}")?;
        }
        if let Some(algorithms) = &link.algorithms {
            write!(out, ", {algorithms}")?;
        }
        writeln!(out)?;
        let here = |reason: &&Reason| {
            reason.certificate.as_ref().is_some_and(|found| found.position == link.position)
        };
        for reason in self.reasons.iter().filter(here) {
            write_reason(out, &format!("{indent}  "), reason)?;
        }
        Ok(())
    }
}

fn write_reason(out: &mut String, indent: &str, reason: &Reason) -> fmt::Result {
    writeln!(out, "{indent}✗ {}", reason.check.id())?;
    writeln!(out, "{indent}  expected: {}", reason.expected)?;
    writeln!(out, "{indent}  found:    {}", reason.found)?;
    let anchor = reason.anchor.as_ref().filter(|_| reason.check != Check::Name);
    if let Some(anchor) = anchor {
        writeln!(out, "{indent}  anchor:   {anchor}")?;
    }
    if let Some(file) = &reason.file {
        writeln!(out, "{indent}  file:     {file}")?;
    }
    Ok(())
}
