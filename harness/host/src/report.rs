//! A verdict with all that follows from it, for a person or a program: what `trustrig verify`
//! prints.

use std::fmt;

use serde::Serialize;
use trust_verdict::{Comparison, Verdict};

use crate::xapi::Tag;

/// What a host would make of one server. Its `Display` is for people, its JSON for programs.
///
/// The words are those of `net ads search` of Samba 4.22.11, the code that of
/// `pool.external_auth_set_ldaps` of xapi 26.16, when its LDAP ping ends so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of this form.
    version: u32,
    #[serde(flatten)]
    verdict: Verdict,
    debug_level: u8,
    stderr: Vec<String>,
    xapi_error: Option<&'static str>,
    comparison: Vec<Comparison>,
    notes: Vec<String>,
}

impl Report {
    /// The report on a verdict, with the words Samba prints at a debug level (`-d`).
    pub fn new(verdict: Verdict, debug_level: u8) -> Self {
        let stderr = verdict.words(debug_level).stderr;
        let tag = Tag::of_stderr(&stderr.join("\n"));
        let xapi_error = (!verdict.is_accept()).then(|| tag.set_ldaps_code());
        let (comparison, notes) = (Vec::new(), Vec::new());
        Self { version: 1, verdict, debug_level, stderr, xapi_error, comparison, notes }
    }

    /// Adds what other judges say.
    #[must_use]
    pub fn compared(mut self, comparison: Vec<Comparison>) -> Self {
        self.comparison = comparison;
        self
    }

    /// Adds a remark on how the verdict was come by.
    #[must_use]
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The verdict.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.verdict.explain_at(self.debug_level))?;
        if let Some(code) = self.xapi_error {
            writeln!(f, "\nxapi says\n  {code} from pool.external_auth_set_ldaps")?;
        }
        if !self.comparison.is_empty() {
            writeln!(f, "\nother judges")?;
        }
        for other in &self.comparison {
            match &other.objection {
                None => writeln!(f, "  {}: accepts", other.rules)?,
                Some(objection) => writeln!(f, "  {}: refuses: {objection}", other.rules)?,
            }
        }
        if !self.notes.is_empty() {
            writeln!(f, "\nnotes")?;
        }
        for note in &self.notes {
            writeln!(f, "  - {note}")?;
        }
        Ok(())
    }
}
