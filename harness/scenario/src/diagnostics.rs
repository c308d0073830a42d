//! Mistakes in a scenario, and how they are told.

use std::{fmt, ops::Deref};

use crate::{Colour, Mistake, Note, Source, Span};

/// All mistakes of one scenario, in the order of their places. Never empty.
///
/// `Display` shows each with its source line, without colours; [`Diagnostics::render`] chooses.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    source: Source,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Most mistakes that are collected.
    pub const MAX: usize = 1_000;

    /// Most mistakes that one report shows in full.
    pub const SHOWN_MAX: usize = 100;

    pub(crate) fn new(source: Source, mut mistakes: Vec<Placed>) -> Self {
        mistakes.sort_by_key(|placed| (placed.span.start, placed.span.end));
        let mut list: Vec<_> =
            mistakes.into_iter().map(|placed| Diagnostic::new(&source, placed)).collect();
        // A second mistake of syntax on a line is nearly always a consequence of the first.
        list.dedup_by(|later, first| {
            later.code() == "scenario::syntax" && later.line() == first.line()
        });
        Self { source, list }
    }

    /// The scenario they are in.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The report for people.
    pub fn render(&self, colour: Colour) -> String {
        let mut report = String::new();
        for diagnostic in self.list.iter().take(Self::SHOWN_MAX) {
            report.push_str(&self.source.render(&diagnostic.note, colour));
            report.push('\n');
        }
        if let Some(more) = self.list.len().checked_sub(Self::SHOWN_MAX + 1) {
            report.push_str(&format!("and {} more below\n\n", more + 1));
        }
        let count = match self.list.len() {
            1 => "1 mistake".to_owned(),
            Self::MAX.. => format!("at least {} mistakes", Self::MAX),
            count => format!("{count} mistakes"),
        };
        report.push_str(&format!("{}: {count}\n", self.source.name()));
        report
    }
}

impl Deref for Diagnostics {
    type Target = [Diagnostic];

    fn deref(&self) -> &[Diagnostic] {
        &self.list
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Plain))
    }
}

impl std::error::Error for Diagnostics {}

/// One mistake with its place.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    mistake: Mistake,
    note: Note,
    position: (usize, usize),
}

impl Diagnostic {
    fn new(source: &Source, placed: Placed) -> Self {
        let Placed { span, mistake, beside } = placed;
        let position = source.position(span.start);
        let note = Note {
            code: mistake.code().to_owned(),
            message: mistake.to_string(),
            label: Some(mistake.label().to_owned()),
            also: beside.map(|beside| (beside, mistake.label_beside().to_owned())),
            help: mistake.help(),
            span,
        };
        Self { mistake, note, position }
    }

    /// What is wrong.
    pub fn mistake(&self) -> &Mistake {
        &self.mistake
    }

    /// Short stable name of the kind of mistake: `scenario::unknown-key`.
    pub fn code(&self) -> &str {
        &self.note.code
    }

    /// What is wrong, as a lower-case fragment.
    pub fn message(&self) -> &str {
        &self.note.message
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.note.help.as_deref()
    }

    /// The place: a range of bytes.
    pub fn span(&self) -> Span {
        self.note.span.clone()
    }

    /// Line, from 1.
    pub fn line(&self) -> usize {
        self.position.0
    }

    /// Column in characters, from 1.
    pub fn column(&self) -> usize {
        self.position.1
    }

    /// All of it, for [`Source::render`].
    pub fn note(&self) -> &Note {
        &self.note
    }
}

/// A mistake with its place in the text.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) span: Span,
    pub(crate) mistake: Mistake,
    /// A second place that belongs to it.
    pub(crate) beside: Option<Span>,
}

impl Placed {
    pub(crate) fn new(span: Span, mistake: Mistake) -> Self {
        Self { span, mistake, beside: None }
    }

    pub(crate) fn syntax(error: &toml::de::Error, text: &str) -> Self {
        let span = error.span().unwrap_or(text.len()..text.len());
        Self::new(span, Mistake::Syntax { message: error.message().to_owned() })
    }
}
