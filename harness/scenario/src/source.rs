//! The text of a scenario, and how a place in it is shown to people.

use std::{fmt, ops::Range, sync::Arc};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};

/// A place in the text: a range of bytes.
pub type Span = Range<usize>;

/// The text of a scenario with the name that reports give it. Clones share the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

/// Something to say about one place in a [`Source`].
///
/// The parser's own mistakes are shown this way; a runner shows an expectation that did not hold
/// with the same picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Short stable name of the kind of note, such as `scenario::unknown-key`.
    pub code: String,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// The place.
    pub span: Span,
    /// Words under the place.
    pub label: Option<String>,
    /// Another place worth seeing, with its words.
    pub also: Option<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

/// Whether a report may use terminal colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// ANSI escape sequences.
    Ansi,
    /// None: for files, pipes and snapshots.
    #[default]
    Plain,
}

impl Source {
    /// Names `text` as `name`.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The name, usually a path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..self.clamp(offset)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// Shows `note` with its source line underlined. Ends with a line feed.
    pub fn render(&self, note: &Note, colour: Colour) -> String {
        let theme = match colour {
            Colour::Ansi => GraphicalTheme::unicode(),
            Colour::Plain => GraphicalTheme::unicode_nocolor(),
        };
        let handler =
            GraphicalReportHandler::new_themed(theme).with_links(false).with_width(Self::WIDTH);
        let report = Report {
            source: NamedSource::new(&*self.name, Arc::clone(&self.text)),
            labels: self.labels(note),
            note,
        };
        let mut text = String::new();
        if handler.render_report(&mut text, &report).is_err() {
            // Showing the line failed; the message itself must still reach the reader.
            let (line, column) = self.position(note.span.start);
            text = format!("{}:{line}:{column}: {}\n", self.name, note.message);
        }
        text
    }

    /// Columns of a report.
    const WIDTH: usize = 100;

    fn labels(&self, note: &Note) -> Vec<LabeledSpan> {
        let label = |span: &Span, text: Option<String>| {
            let start = self.clamp(span.start);
            let end = self.clamp(span.end).max(start);
            LabeledSpan::new(text, start, end - start)
        };
        let mut labels = vec![label(&note.span, note.label.clone())];
        labels.extend(note.also.as_ref().map(|(span, text)| label(span, Some(text.clone()))));
        labels
    }

    /// The nearest character boundary at or before `offset`.
    fn clamp(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.name)
    }
}

/// What miette needs to draw a [`Note`].
#[derive(Debug)]
struct Report<'a> {
    source: NamedSource<Arc<str>>,
    labels: Vec<LabeledSpan>,
    note: &'a Note,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.note.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.note.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
