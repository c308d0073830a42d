//! What can be wrong with a scenario, and what to do about it.

use toml::de::DeValue;

use crate::FaultPlace;

/// What is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// A value that a fault cannot read.
    #[error("`{value}` is no value of the fault `{fault}`")]
    BadValue {
        /// Id of the fault.
        fault: String,
        /// The value.
        value: String,
        /// What it takes.
        rule: String,
    },
    /// Two definitions have the same name.
    #[error("the {what} `{name}` is defined twice")]
    Duplicate {
        /// What is defined.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A list that must not be empty is.
    #[error("the list is empty")]
    Empty,
    /// A limit of the language is crossed.
    #[error("{found} {what}, at most {limit} are allowed")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// A manager and an agent of pinned keys have the same name.
    #[error("`{name}` is the name of a manager and of an agent")]
    ManagerAndAgent {
        /// The name.
        name: String,
    },
    /// A text does not follow its rule.
    #[error("`{text}` is not a valid {what}")]
    Malformed {
        /// What the text should be.
        what: &'static str,
        /// The text.
        text: String,
        /// The rule.
        rule: String,
    },
    /// A fault is set where it cannot be.
    #[error("`{fault}` is no fault of {}", here.name())]
    Misplaced {
        /// Id of the fault.
        fault: String,
        /// Where it is set.
        here: FaultPlace,
        /// Where it can be.
        places: Vec<FaultPlace>,
    },
    /// A required key is not there.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A step that cannot run in any profile of its scenario.
    #[error("the scenario does not run in the profile `{profile}`")]
    NeverRuns {
        /// The profile that the step names.
        profile: &'static str,
        /// The profiles of the scenario.
        profiles: Vec<String>,
    },
    /// An error code is expected of something that is no call.
    #[error("`{action}` is no call: it neither returns anything nor fails with an error code")]
    NoCall {
        /// The action.
        action: String,
    },
    /// Something is about a host, or its pool, in a world without hosts.
    #[error("`{what}` is about a host, and the world has none")]
    NoHost {
        /// The action or the expectation.
        what: String,
    },
    /// A refusal is expected of something that is no action of a neighbouring model of trust.
    #[error("`{action}` is not refused for a reason")]
    NoRefusal {
        /// The action.
        action: String,
    },
    /// A value for a fault that takes none.
    #[error("the fault `{fault}` takes no value")]
    NoValue {
        /// Id of the fault.
        fault: String,
        /// The value.
        value: String,
    },
    /// Output is expected of something that is no program.
    #[error("`{action}` runs no program and prints nothing")]
    NoProgram {
        /// The action.
        action: String,
    },
    /// A step needs another step that does not run wherever it runs itself.
    #[error("the step `{step}` does not run in the profile `{profile}`, but this one does")]
    NotInstalled {
        /// The step that installs the certificate.
        step: String,
        /// The profile.
        profile: &'static str,
    },
    /// None of several keys is there.
    #[error("the {what} is missing")]
    NoChoice {
        /// What could be chosen.
        what: &'static str,
        /// The keys to choose from.
        known: &'static [&'static str],
    },
    /// More than one of several keys is there.
    #[error("`{first}` and `{second}` exclude each other")]
    SeveralChoices {
        /// What can be chosen.
        what: &'static str,
        /// The first key in the text.
        first: String,
        /// A later key.
        second: String,
    },
    /// The text is no TOML.
    #[error("{message}")]
    Syntax {
        /// What the TOML parser says.
        message: String,
    },
    /// A word is in no list.
    #[error("unknown {what} `{word}`")]
    Unknown {
        /// What the word should name.
        what: &'static str,
        /// The word.
        word: String,
        /// The known word that looks most like it.
        nearest: Option<String>,
        /// All known words.
        known: Vec<String>,
    },
    /// A key means nothing here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that looks most like it and is still free.
        nearest: Option<String>,
        /// All known keys.
        known: Vec<String>,
    },
    /// A value has the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// The right type, with its article.
        expected: &'static str,
        /// The type of the value, with its article.
        found: &'static str,
        /// How the value could be meant.
        hint: Option<String>,
    },
}

impl Mistake {
    pub(crate) fn unknown<'k>(
        what: &'static str,
        word: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let nearest = nearest(word, known.iter().map(String::as_str));
        Self::Unknown { what, word: word.to_owned(), nearest, known }
    }

    /// `free` are the known keys that are not there.
    pub(crate) fn unknown_key(key: &str, known: &[&str], free: &[&str]) -> Self {
        Self::UnknownKey {
            key: key.to_owned(),
            nearest: nearest(key, free.iter().copied()),
            known: known.iter().map(|known| (*known).to_owned()).collect(),
        }
    }

    pub(crate) fn wrong_type(expected: &'static str, found: &DeValue<'_>) -> Self {
        let hint = match (expected, found) {
            ("a string", DeValue::Boolean(written)) => Some(format!("\"{written}\"")),
            ("a string", DeValue::Integer(written)) => Some(format!("\"{written}\"")),
            ("a boolean", DeValue::String(text)) if matches!(&**text, "true" | "false") => {
                Some(text.to_string())
            }
            ("a list", DeValue::String(text)) => Some(format!("[{text:?}]")),
            _ => None,
        };
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date-time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        Self::WrongType { expected, found, hint }
    }

    /// The known word that was probably meant.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Self::Unknown { nearest, .. } | Self::UnknownKey { nearest, .. } => nearest.as_deref(),
            _ => None,
        }
    }

    /// Short stable name of the kind of mistake.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadValue { .. } => "scenario::bad-value",
            Self::Duplicate { .. } => "scenario::duplicate",
            Self::Empty => "scenario::empty",
            Self::Limit { .. } => "scenario::limit",
            Self::Malformed { .. } => "scenario::malformed",
            Self::ManagerAndAgent { .. } => "scenario::manager-and-agent",
            Self::Misplaced { .. } => "scenario::misplaced",
            Self::MissingKey { .. } => "scenario::missing-key",
            Self::NeverRuns { .. } => "scenario::never-runs",
            Self::NoCall { .. } => "scenario::no-call",
            Self::NoChoice { .. } => "scenario::no-choice",
            Self::NoHost { .. } => "scenario::no-host",
            Self::NoRefusal { .. } => "scenario::no-refusal",
            Self::NoProgram { .. } => "scenario::no-program",
            Self::NotInstalled { .. } => "scenario::not-installed",
            Self::NoValue { .. } => "scenario::no-value",
            Self::SeveralChoices { .. } => "scenario::several-choices",
            Self::Syntax { .. } => "scenario::syntax",
            Self::Unknown { .. } => "scenario::unknown-word",
            Self::UnknownKey { .. } => "scenario::unknown-key",
            Self::WrongType { .. } => "scenario::wrong-type",
        }
    }

    /// Advice.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Duplicate { .. } | Self::Empty | Self::Limit { .. } | Self::Syntax { .. } => None,
            Self::BadValue { rule, .. } | Self::Malformed { rule, .. } => {
                Some(format!("expected {rule}"))
            }
            Self::ManagerAndAgent { .. } => {
                Some("whose orders count is told by names: call one of the two otherwise".to_owned())
            }
            Self::Misplaced { places, .. } => {
                let ways = places.iter().map(|place| match place {
                    FaultPlace::Dc => "on a DC with `dc.set_faults`",
                    FaultPlace::Host => "on a host with `host.set_faults`",
                    FaultPlace::Route => "on a route with `route.set_faults`",
                });
                Some(format!("it can be set {}", ways.collect::<Vec<_>>().join(", or ")))
            }
            Self::MissingKey { key } => Some(format!("add `{key} = …`")),
            Self::NeverRuns { profiles, .. } => {
                Some(format!("the scenario's profiles: {}", list(profiles)))
            }
            Self::NoCall { .. } => {
                Some("only calls of the XenAPI have error codes and return something".into())
            }
            Self::NoHost { .. } => Some("add a `[[world.host]]`".into()),
            Self::NoProgram { .. } => Some("only the commands of `net` print".into()),
            Self::NoRefusal { .. } => Some(
                "calls of the XenAPI fail with an `error`; `refused` is for the other models of trust"
                    .into(),
            ),
            Self::NoValue { value, .. } => Some(format!("leave out `:{value}`")),
            Self::NotInstalled { .. } => Some("give both steps the same `only`".into()),
            Self::NoChoice { known, .. } => Some(format!("add one of: {}", list(known))),
            Self::SeveralChoices { what, .. } => Some(format!("exactly one {what} belongs here")),
            Self::Unknown { nearest: Some(nearest), .. }
            | Self::UnknownKey { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::Unknown { what, known, .. } if known.is_empty() => {
                Some(format!("there is no {what}"))
            }
            Self::UnknownKey { known, .. } if known.is_empty() => {
                Some("no keys are allowed here".into())
            }
            Self::Unknown { word, known, .. } if known.len() > LIST_MAX => {
                Some(format!("most alike: {}", list(&most_alike(word, known))))
            }
            Self::Unknown { known, .. } => Some(format!("known: {}", list(known))),
            Self::UnknownKey { known, .. } => Some(format!("known keys: {}", list(known))),
            Self::WrongType { hint, .. } => hint.as_ref().map(|hint| format!("write {hint}")),
        }
    }

    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::BadValue { .. } => "not valid",
            Self::Duplicate { .. } => "defined again",
            Self::Empty => "needs at least one item",
            Self::Limit { .. } => "over the limit",
            Self::Malformed { .. } => "not valid",
            Self::ManagerAndAgent { .. } => "an agent",
            Self::MissingKey { .. } | Self::NoChoice { .. } => "in this table",
            Self::Misplaced { .. } => "does not belong here",
            Self::NeverRuns { .. } => "never true",
            Self::NoValue { .. } => "one word too many",
            Self::NoCall { .. } | Self::NoProgram { .. } | Self::NoRefusal { .. } => {
                "cannot happen"
            }
            Self::NoHost { .. } => "about nobody",
            Self::NotInstalled { .. } => "not installed in every profile",
            Self::SeveralChoices { .. } => "one too many",
            Self::Syntax { .. } => "here",
            Self::Unknown { .. } | Self::UnknownKey { .. } => "not known",
            Self::WrongType { .. } => "wrong type",
        }
    }

    pub(crate) fn label_beside(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "first defined here",
            Self::ManagerAndAgent { .. } => "a manager",
            Self::NoCall { .. } | Self::NoProgram { .. } | Self::NoRefusal { .. } => "the action",
            Self::NotInstalled { .. } => "this step",
            _ => "the first",
        }
    }
}

/// The word of `known` that looks most like `word`, if any looks like it at all.
fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    // With more letters wrong it is another word.
    let far = 1 + word.chars().count() / 3;
    known
        .into_iter()
        .map(|known| (distance(word, known), known))
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, known)| known.to_owned())
}

/// The few words of a long list that are worth showing to somebody who wrote `word`.
fn most_alike<'k>(word: &str, known: &'k [String]) -> Vec<&'k str> {
    const SHOWN: usize = 5;
    let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
    known.sort_by_cached_key(|known| distance(word, known));
    known.truncate(SHOWN);
    known
}

/// Slips of the pen between two words, whatever their case.
fn distance(word: &str, known: &str) -> usize {
    /// The cost grows with the product of the lengths, and no known word is longer.
    const COMPARED_MAX: usize = 100;
    let word: String = word.chars().take(COMPARED_MAX).flat_map(char::to_lowercase).collect();
    strsim::damerau_levenshtein(&word, &known.to_lowercase())
}

/// Longest list of words that is shown in full.
const LIST_MAX: usize = 12;

fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    words.join(", ")
}
