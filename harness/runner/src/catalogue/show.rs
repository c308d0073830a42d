//! An explanation for a terminal.

use std::fmt;

use super::{Attempt, Explanation, FaultPlace, Trusts};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = &self.entry;
        writeln!(f, "{}: {}", self.text, entry.summary)?;
        writeln!(f, "\ncause\n  {}", entry.cause)?;
        writeln!(f, "\ndrawn")?;
        for line in entry.drawing.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "\nset it")?;
        for place in &entry.places {
            writeln!(f, "  {}", how_to_set(*place, &self.text))?;
        }
        if let Some(value) = &entry.value {
            writeln!(f, "  value: {value}")?;
        }
        if !entry.listeners.is_empty() {
            writeln!(f, "  listeners: {}", entry.listeners.join(", "))?;
        }
        writeln!(f, "\nthe host says (net ads search, Samba 4.22)")?;
        for group in groups(&self.attempts) {
            writeln!(f, "  {}: {}", group.ways(), group.attempt.conclusion.headline())?;
            if let Some(line) = group.stderr() {
                writeln!(f, "    {line}")?;
            }
            if let Some(xapi) = group.attempt.conclusion.xapi {
                writeln!(f, "    xapi: {} ({})", xapi.code, xapi.tag)?;
            }
        }
        for finding in &self.findings {
            writeln!(f, "\n{}", finding.program)?;
            for line in &finding.says {
                writeln!(f, "  {line}")?;
            }
        }
        writeln!(f, "\nstories")?;
        for story in &self.stories {
            writeln!(f, "  {}: {}", story.id, story.title)?;
        }
        if self.stories.is_empty() {
            writeln!(f, "  none")?;
        }
        Ok(())
    }
}

/// A line of a scenario that sets the fault there.
pub(super) fn how_to_set(place: FaultPlace, text: &str) -> String {
    match place {
        FaultPlace::Dc => format!("dc.set_faults = {{ dc = \"dc1\", faults = [\"{text}\"] }}"),
        FaultPlace::Host => {
            format!("host.set_faults = {{ host = \"host1\", faults = [\"{text}\"] }}")
        }
        FaultPlace::Route => format!(
            "route.set_faults = {{ host = \"host1\", dc = \"dc1\", faults = [\"{text}\"] }}"
        ),
    }
}

/// Attempts that ended alike.
pub(super) struct Group<'a> {
    pub(super) attempt: &'a Attempt,
    all: Vec<&'a Attempt>,
}

/// The attempts, those together that ended alike.
pub(super) fn groups(attempts: &[Attempt]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for attempt in attempts {
        let alike = groups.iter_mut().find(|group| {
            let (a, b) = (&group.attempt.conclusion, &attempt.conclusion);
            let heads = (a.headline(), &a.xapi) == (b.headline(), &b.xapi);
            heads && without_mode(group.attempt) == without_mode(attempt)
        });
        match alike {
            Some(group) => group.all.push(attempt),
            None => groups.push(Group { attempt, all: vec![attempt] }),
        }
    }
    groups
}

/// Samba names the mode in its words.
fn without_mode(attempt: &Attempt) -> Option<String> {
    let line = attempt.conclusion.stderr.as_ref()?;
    Some(line.replace(&format!("[{}]", attempt.way.mode), "[…]"))
}

impl Group<'_> {
    /// `LDAPS in every mode`, `LDAPS ca_only, ca_and_name; StartTLS`.
    pub(super) fn ways(&self) -> String {
        const MODES: usize = 5;
        let of = |trusts| {
            let ways = self.all.iter().map(|attempt| attempt.way);
            ways.filter(move |way| way.is_ldaps() && way.trusts == trusts).map(|way| way.mode)
        };
        let modes: Vec<&str> = of(Trusts::DomainRoot).collect();
        let mut ways = match modes.len() {
            0 => Vec::new(),
            MODES => vec!["LDAPS in every mode".to_owned()],
            _ => vec![format!("LDAPS {}", modes.join(", "))],
        };
        ways.extend(self.all.iter().filter_map(|attempt| match attempt.way.wrapping {
            "starttls" => Some("StartTLS".to_owned()),
            "seal" => Some("LDAP, sealed".to_owned()),
            _ => None,
        }));
        ways.extend(
            of(Trusts::ChainRoot).map(|_| "LDAPS once its own root is installed".to_owned()),
        );
        ways.join("; ")
    }

    /// The telling line, without the mode if it stands for several.
    pub(super) fn stderr(&self) -> Option<String> {
        if self.all.len() > 1 {
            without_mode(self.attempt)
        } else {
            self.attempt.conclusion.stderr.clone()
        }
    }
}
