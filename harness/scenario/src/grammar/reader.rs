//! The state of one reading: what is known, and what was found wrong.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::{
    Scenario, Span, Vocabulary,
    diagnostics::{Diagnostics, Placed},
    grammar::{Choice, Read, Value},
    mistake::Mistake,
    names::Names,
};

/// Collects mistakes while the types of the language read themselves.
pub(crate) struct Reader<'a> {
    /// Words that other crates define.
    pub(crate) vocabulary: &'a Vocabulary,
    /// What the scenario itself defines.
    pub(crate) names: Names,
    /// Sum of the advances of the clock so far.
    pub(crate) advanced: Duration,
    mistakes: Vec<Placed>,
}

impl Reader<'_> {
    /// Reads a whole scenario.
    pub(crate) fn scenario(text: &str, vocabulary: &Vocabulary) -> Result<Scenario, Vec<Placed>> {
        if text.len() > crate::TEXT_BYTES_MAX {
            let limit = crate::TEXT_BYTES_MAX;
            let mistake = Mistake::Limit { what: "bytes of text", limit, found: text.len() };
            return Err(vec![Placed::new(0..0, mistake)]);
        }
        let (document, syntax) = DeTable::parse_recoverable(text);
        if !syntax.is_empty() {
            let syntax = syntax.iter().take(Diagnostics::MAX);
            return Err(syntax.map(|error| Placed::syntax(error, text)).collect());
        }
        let (names, mut mistakes) = Names::collect(document.get_ref());
        mistakes.truncate(Diagnostics::MAX);
        let mut reader = Reader { vocabulary, names, advanced: Duration::ZERO, mistakes };
        let span = document.span();
        let document = toml::Spanned::new(span, DeValue::Table(document.into_inner()));
        let scenario = Scenario::read(&document, &mut reader);
        match scenario {
            Some(scenario) if reader.mistakes.is_empty() => Ok(scenario),
            _ => Err(reader.mistakes),
        }
    }

    /// Notes that something at `span` is wrong.
    pub(crate) fn report(&mut self, span: Span, mistake: Mistake) {
        self.push(Placed::new(span, mistake));
    }

    /// Notes that something is wrong which only makes sense beside another place.
    pub(crate) fn report_beside(&mut self, span: Span, mistake: Mistake, other: Span) {
        self.push(Placed { beside: Some(other), ..Placed::new(span, mistake) });
    }

    /// Notes that `value` has the wrong type; always `None`.
    pub(crate) fn wrong_type<T>(&mut self, value: &Value<'_>, expected: &'static str) -> Option<T> {
        self.report(value.span(), Mistake::wrong_type(expected, value.get_ref()));
        None
    }

    /// The text of a string value.
    pub(crate) fn string<'v>(&mut self, value: &'v Value<'_>) -> Option<&'v str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type(value, "a string"),
        }
    }

    /// Opens a table and reports the keys it does not know.
    pub(crate) fn table<'v>(
        &mut self,
        value: &'v Value<'v>,
        fields: &[&'static str],
        choices: &[&'static str],
    ) -> Option<TableReader<'v>> {
        let DeValue::Table(entries) = value.get_ref() else {
            return self.wrong_type(value, "a table");
        };
        let known: Vec<&'static str> = fields.iter().chain(choices).copied().collect();
        let free: Vec<_> =
            known.iter().copied().filter(|known| !entries.contains_key(*known)).collect();
        let mut misspelt = Vec::new();
        let mut strangers = false;
        for (key, _) in entries {
            if known.contains(&&**key.get_ref()) {
                continue;
            }
            strangers = true;
            let mistake = Mistake::unknown_key(key.get_ref(), &known, &free);
            misspelt.extend(mistake.nearest().map(str::to_owned));
            self.report(key.span(), mistake);
        }
        Some(TableReader { entries, span: value.span(), misspelt, strangers })
    }

    /// Text with more mistakes than anybody reads costs no more memory than that.
    fn push(&mut self, placed: Placed) {
        if self.mistakes.len() < Diagnostics::MAX {
            self.mistakes.push(placed);
        }
    }
}

/// A table while its fields are taken from it.
pub(crate) struct TableReader<'v> {
    entries: &'v DeTable<'v>,
    span: Span,
    /// Known keys that an unknown key was probably meant to be: not missing, only misspelt.
    misspelt: Vec<String>,
    strangers: bool,
}

impl TableReader<'_> {
    /// Reads the value of `key`.
    pub(crate) fn field<T: Read>(
        &self,
        key: &'static str,
        default: Option<T>,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        if let Some(value) = self.entries.get(key) {
            return T::read(value, reader);
        }
        let absent = default.or_else(T::absent);
        if absent.is_none() && !self.misspelt.iter().any(|misspelt| misspelt == key) {
            reader.report(self.span.clone(), Mistake::MissingKey { key });
        }
        absent
    }

    /// Reads the one key of `T` that is there.
    pub(crate) fn choice<T: Choice>(
        &self,
        default: Option<T>,
        reader: &mut Reader<'_>,
    ) -> Option<T> {
        let mut chosen: Vec<_> =
            self.entries.iter().filter(|(key, _)| T::KEYS.contains(&&**key.get_ref())).collect();
        chosen.sort_by_key(|(key, _)| key.span().start);
        let mut read = None;
        for (index, (key, value)) in chosen.iter().enumerate() {
            let value = T::read_chosen(key.get_ref(), value, reader);
            if index > 0 {
                let first = chosen[0].0;
                let mistake = Mistake::SeveralChoices {
                    what: T::WHAT,
                    first: first.get_ref().to_string(),
                    second: key.get_ref().to_string(),
                };
                reader.report_beside(key.span(), mistake, first.span());
            }
            read = value;
        }
        if !chosen.is_empty() {
            return read;
        }
        // An unknown key has been reported, and was probably meant to be the choice.
        if default.is_none() && !self.strangers {
            let mistake = Mistake::NoChoice { what: T::WHAT, known: T::KEYS };
            reader.report(self.span.clone(), mistake);
        }
        default
    }
}
