//! Cells, and those that came out otherwise than the tables say.

use std::{
    env,
    fmt::Display,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use sim_host::ApiError;

use crate::{
    estate::{Estate, Rig},
    state::HostState,
};

/// What must have become of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) error: Option<Error>,
    pub(crate) hosts: Vec<HostState>,
}

/// A code and its parameters; of a text only its beginning, where the document says that much.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    pub(crate) code: String,
    pub(crate) params: Vec<Param>,
}

#[derive(Clone, Debug)]
pub(crate) enum Param {
    /// The reference of a host.
    Host(usize),
    /// A text that begins like this.
    Text(String),
}

impl Error {
    pub(crate) fn new(code: impl Into<String>, params: impl Into<Vec<Param>>) -> Self {
        Self { code: code.into(), params: params.into() }
    }

    fn is(&self, rig: &Rig, error: &ApiError) -> bool {
        let is = |(expected, found): (&Param, &String)| match expected {
            Param::Host(index) => *found == rig.reference(*index).to_string(),
            Param::Text(text) => found.starts_with(text.as_str()),
        };
        self.code == error.code
            && self.params.len() == error.params.len()
            && self.params.iter().zip(&error.params).all(is)
    }
}

/// Any text.
pub(crate) fn message() -> Param {
    Param::Text(String::new())
}

/// The cells of a table so far.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    offered: u64,
    count: usize,
    wrong: Vec<String>,
}

impl Cells {
    /// Whether to look at the next cell of a large table. All of them take minutes: that is for
    /// `TRUSTRIG_EVERY_CELL=1`; otherwise every third is looked at, here and there, the same each time.
    pub(crate) fn takes_next(&mut self) -> bool {
        self.offered += 1;
        let mut hasher = DefaultHasher::new();
        self.offered.hash(&mut hasher);
        hasher.finish().is_multiple_of(3)
            || env::var_os("TRUSTRIG_EVERY_CELL").is_some_and(|one| one == "1")
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Compares a pool after a call with what it must be.
    pub(crate) fn check(
        &mut self,
        estate: &Estate,
        rig: &Rig,
        cell: impl Display,
        result: &Result<(), ApiError>,
        expected: &Expected,
    ) {
        let title = format!("{} of {}, {cell}", rig.plan.profile, rig.plan.hosts);
        let mut wrong = Vec::new();
        match (&expected.error, result) {
            (None, Ok(())) => {}
            (Some(expected), Err(error)) if expected.is(rig, error) => {}
            _ => wrong.push(format!("  expected {:?}\n  found    {result:?}", expected.error)),
        }
        self.compare(estate, rig, title, wrong, &expected.hosts);
    }

    /// Compares the hosts alone.
    pub(crate) fn check_hosts(
        &mut self,
        estate: &Estate,
        rig: &Rig,
        cell: impl Display,
        expected: &[HostState],
    ) {
        let title = format!("{} of {}, {cell}", rig.plan.profile, rig.plan.hosts);
        self.compare(estate, rig, title, Vec::new(), expected);
    }

    fn compare(
        &mut self,
        estate: &Estate,
        rig: &Rig,
        title: String,
        mut wrong: Vec<String>,
        expected: &[HostState],
    ) {
        self.count += 1;
        assert_eq!(expected.len(), rig.plan.hosts);
        for (index, expected) in expected.iter().enumerate() {
            let found = HostState::of(estate, rig, index);
            if found != *expected {
                let number = index + 1;
                wrong.push(format!("  host{number} must be {expected}\n        and is  {found}"));
            }
        }
        if !wrong.is_empty() {
            self.wrong.push(format!("{title}\n{}", wrong.join("\n")));
        }
    }

    /// Fails with every cell that is wrong.
    pub(crate) fn end(self, table: &str) {
        let Self { count, wrong, .. } = self;
        println!("{table}: {count} cells");
        assert!(
            wrong.is_empty(),
            "{} of {count} cells of {table} are wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
