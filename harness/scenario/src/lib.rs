//! The scenario language: text in, typed plan out.
//!
//! A scenario describes a world (domains, domain controllers with their faults, hosts), the steps
//! done to it, and what must be seen. [`parse`] turns its TOML text into a [`Scenario`] in which
//! every name refers to something that exists, or reports **all** mistakes at once, each with the
//! source line underlined and the nearest known word. `LANGUAGE.md` beside this crate is the
//! reference page.
//!
//! Nothing here knows a socket or how a fault works: the words that other crates own (fault ids,
//! quirk names, kinds of facts) are passed in as a [`Vocabulary`].
//!
//! The Rust types of [`language`] are the single source. Each is declared once, in a `table!`,
//! `choice!`, `words!` or `text!` block; both its reader and its part of the JSON [`schema()`] are
//! made from that declaration.
//!
//! ```
//! use scenario::{Vocabulary, parse};
//!
//! let text = r#"
//! version = 1
//! id = "clock-moves"
//! title = "Time passes"
//!
//! [[world.host]]
//! name = "host1"
//!
//! [[step]]
//! clock.advence = "8d"
//! "#;
//! let mistakes = parse("clock-moves.toml", text, &Vocabulary::default()).unwrap_err();
//! let mistake = mistakes.iter().next().unwrap();
//! assert_eq!((mistake.line(), mistake.column()), (10, 7));
//! assert_eq!(mistake.help(), Some("did you mean `advance`?"));
//! ```

mod catalogue;
mod diagnostics;
#[macro_use]
mod grammar;
pub mod language;
mod mistake;
mod names;
mod schema;
mod source;

pub use diagnostics::{Diagnostic, Diagnostics};
pub use grammar::{NonEmpty, Spanned};
pub use language::*;
pub use mistake::Mistake;
pub use names::{DCS_MAX, HOSTS_MAX, PARTIES_MAX, STEPS_MAX};
pub use schema::schema;
pub use source::{Colour, Note, Source, Span};

use grammar::Reader;

/// Longest scenario text, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// The words of a scenario that other crates define.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// The faults.
    pub faults: Vec<FaultWord>,
    /// Whether the fault of this id can read this value.
    pub is_value: fn(id: &str, value: &str) -> bool,
    /// Names of the calls that a pool may lack, such as `pool.join`.
    pub calls: Vec<String>,
    /// Names of the toolstack's quirk toggles, such as `ping_reports_first_dc`.
    pub quirks: Vec<String>,
    /// Kinds of facts in the ledger, such as `ldap.request`. Empty: kinds are not checked.
    pub facts: Vec<String>,
}

impl Default for Vocabulary {
    /// No words, and every value will do.
    fn default() -> Self {
        let is_value = |_: &str, _: &str| true;
        Self {
            faults: Vec::new(),
            is_value,
            calls: Vec::new(),
            quirks: Vec::new(),
            facts: Vec::new(),
        }
    }
}

/// A fault that a scenario may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultWord {
    /// Its id, such as `time.leaf-expired`.
    pub id: String,
    /// Where it may be set.
    pub places: Vec<FaultPlace>,
    /// What its value must be, such as "a duration such as `250ms`"; `None` if it takes none.
    pub value: Option<String>,
    /// The listeners that it may be limited to, such as `ldaps`.
    pub listeners: Vec<String>,
}

/// Where a fault may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultPlace {
    /// On a domain controller.
    Dc,
    /// On a host.
    Host,
    /// On the way from one host to one domain controller.
    Route,
}

impl FaultPlace {
    /// The word for it, with its article.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dc => "a DC",
            Self::Host => "a host",
            Self::Route => "a route",
        }
    }
}

/// Reads the scenario in `text`.
///
/// `name` is what reports call it, usually its path. The text need not come from a file.
///
/// # Errors
///
/// All mistakes of the text, in the order of their places. If the text is no TOML, only the
/// mistakes of syntax are reported.
pub fn parse(name: &str, text: &str, vocabulary: &Vocabulary) -> Result<Scenario, Diagnostics> {
    let source = Source::new(name, text);
    Reader::scenario(text, vocabulary).map_err(|mistakes| Diagnostics::new(source, mistakes))
}
