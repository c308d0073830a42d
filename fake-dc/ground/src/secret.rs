//! Text that must not reach a log, an error or a report.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A password or key. `Debug` prints stars; there is no `Display`.
///
/// Serialising writes the text itself: a secret is serialised only into a file that a real host
/// or DC would keep it in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that must use it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", Secret::new("Passw0rd")), "Secret(***)");
    }
}
