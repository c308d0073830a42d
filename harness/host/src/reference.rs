//! References to records.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A reference as it travels on the wire: `OpaqueRef:<uuid>`, or `OpaqueRef:NULL` for none.
///
/// Any text can be one: a client may hold a reference to a record that is gone, or invent one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// Takes a reference that came from a client.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The reference to nothing.
    pub fn null() -> Self {
        Self("OpaqueRef:NULL".to_owned())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for Reference {
    fn from(uuid: Uuid) -> Self {
        Self(format!("OpaqueRef:{uuid}"))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
