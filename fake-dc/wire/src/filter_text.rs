//! The text form of filters (RFC 4515).

use std::fmt;

use crate::{filter::Filter, limits::Limits};

/// Text that is no filter: where, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at position {position} of the filter")]
pub struct FilterError {
    /// Bytes before the spot.
    pub position: usize,
    /// What is wrong.
    pub kind: FilterErrorKind,
}

/// What is wrong with the text of a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// A backslash without two hexadecimal digits.
    #[error("`\\` without two hexadecimal digits")]
    BadEscape,
    /// No attribute name where one must stand.
    #[error("missing attribute name")]
    MissingAttribute,
    /// No `=` after an attribute name.
    #[error("missing `=`")]
    MissingEquals,
    /// More levels than the limit.
    #[error("more than {limit} levels of nested filters")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Text after the filter.
    #[error("text after the closing `)`")]
    TrailingText,
    /// Something else where that character must stand.
    #[error("missing `{expected}`")]
    Missing {
        /// The character.
        expected: char,
    },
    /// A `*` or `(` that must be escaped where it stands.
    #[error("`{found}` must be written as an escape here")]
    Unescaped {
        /// The character.
        found: char,
    },
}

impl Filter {
    /// Reads the text form of RFC 4515.
    ///
    /// ```
    /// use ldap_wire::Filter;
    ///
    /// let filter = Filter::parse(r"(|(name=krb*)(objectSid=\01\05\00))")?;
    /// assert_eq!(filter.to_string(), r"(|(name=krb*)(objectSid=\01\05\00))");
    /// assert_eq!(
    ///     Filter::parse("(name=krbtgt").map_err(|error| error.to_string()),
    ///     Err("missing `)` at position 12 of the filter".to_owned()),
    /// );
    /// # Ok::<(), ldap_wire::FilterError>(())
    /// ```
    ///
    /// # Errors
    /// If the text is no filter, or is nested deeper than [`Limits::filter_depth`] allows.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { text: text.as_bytes(), position: 0 };
        let filter = parser.filter(1)?;
        if parser.peek().is_some() {
            return Err(parser.error(FilterErrorKind::TrailingText));
        }
        Ok(filter)
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

struct Parser<'a> {
    text: &'a [u8],
    position: usize,
}

impl Parser<'_> {
    fn filter(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let limit = Limits::DEFAULT.filter_depth;
        if depth > limit {
            return Err(self.error(FilterErrorKind::TooDeep { limit }));
        }
        self.take(b'(')?;
        let filter = match self.peek() {
            Some(b'&') => Filter::And(self.list(depth)?),
            Some(b'|') => Filter::Or(self.list(depth)?),
            Some(b'!') => {
                self.position += 1;
                Filter::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => self.item()?,
        };
        self.take(b')')?;
        Ok(filter)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>, FilterError> {
        self.position += 1;
        let mut filters = Vec::new();
        while self.peek() == Some(b'(') {
            filters.push(self.filter(depth + 1)?);
        }
        Ok(filters)
    }

    fn item(&mut self) -> Result<Filter, FilterError> {
        let attribute = self.name();
        if self.peek() == Some(b':') {
            return self.extensible(attribute);
        }
        let attribute = attribute.ok_or_else(|| self.error(FilterErrorKind::MissingAttribute))?;
        let ordering = self.peek().filter(|byte| b"<>~".contains(byte));
        if ordering.is_some() {
            self.position += 1;
        }
        self.equals()?;
        if let Some(ordering) = ordering {
            let value = self.value()?;
            return Ok(match ordering {
                b'<' => Filter::LessOrEqual { attribute, value },
                b'>' => Filter::GreaterOrEqual { attribute, value },
                _ => Filter::Approx { attribute, value },
            });
        }
        self.equality_or_substrings(attribute)
    }

    fn equality_or_substrings(&mut self, attribute: String) -> Result<Filter, FilterError> {
        let mut parts = vec![self.part()?];
        while self.peek() == Some(b'*') {
            self.position += 1;
            parts.push(self.part()?);
        }
        let last = parts.pop().unwrap_or_default();
        if parts.is_empty() {
            return Ok(Filter::Equality { attribute, value: last });
        }
        let initial = parts.remove(0);
        let present = |part: Vec<u8>| (!part.is_empty()).then_some(part);
        let (initial, last) = (present(initial), present(last));
        let any: Vec<_> = parts.into_iter().filter_map(present).collect();
        if initial.is_none() && last.is_none() && any.is_empty() {
            return Ok(Filter::Present(attribute));
        }
        Ok(Filter::Substrings { attribute, initial, any, last })
    }

    fn extensible(&mut self, attribute: Option<String>) -> Result<Filter, FilterError> {
        let mut dn_attributes = false;
        let mut rule = None;
        while self.peek() == Some(b':') {
            self.position += 1;
            match self.name() {
                Some(name) if !dn_attributes && name.eq_ignore_ascii_case("dn") => {
                    dn_attributes = true;
                }
                Some(name) if rule.is_none() => rule = Some(name),
                // The colon of `:=`.
                None if self.peek() == Some(b'=') => {
                    self.position += 1;
                    if attribute.is_none() && rule.is_none() {
                        return Err(self.error(FilterErrorKind::MissingAttribute));
                    }
                    let value = self.value()?;
                    return Ok(Filter::Extensible { rule, attribute, value, dn_attributes });
                }
                _ => break,
            }
        }
        Err(self.error(FilterErrorKind::MissingEquals))
    }

    /// An attribute description or the object identifier of a rule.
    fn name(&mut self) -> Option<String> {
        let rest = &self.text[self.position..];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.;_".contains(byte);
        let length = rest.iter().take_while(|byte| is_name(byte)).count();
        self.position += length;
        // Every byte is ASCII.
        (length > 0).then(|| String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn equals(&mut self) -> Result<(), FilterError> {
        if self.peek() != Some(b'=') {
            return Err(self.error(FilterErrorKind::MissingEquals));
        }
        self.position += 1;
        Ok(())
    }

    /// A value that has no wildcards.
    fn value(&mut self) -> Result<Vec<u8>, FilterError> {
        let value = self.part()?;
        if self.peek() == Some(b'*') {
            return Err(self.error(FilterErrorKind::Unescaped { found: '*' }));
        }
        Ok(value)
    }

    /// Text up to the next `*` or `)`.
    fn part(&mut self) -> Result<Vec<u8>, FilterError> {
        let mut part = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'*' | b')' => break,
                b'(' => return Err(self.error(FilterErrorKind::Unescaped { found: '(' })),
                b'\\' => {
                    part.push(self.escape()?);
                    continue;
                }
                _ => part.push(byte),
            }
            self.position += 1;
        }
        Ok(part)
    }

    fn escape(&mut self) -> Result<u8, FilterError> {
        let digit = |index: usize| {
            let byte = self.text.get(self.position + index)?;
            char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
        };
        let (Some(high), Some(low)) = (digit(1), digit(2)) else {
            return Err(self.error(FilterErrorKind::BadEscape));
        };
        self.position += 3;
        Ok(high << 4 | low)
    }

    fn take(&mut self, expected: u8) -> Result<(), FilterError> {
        if self.peek() != Some(expected) {
            return Err(self.error(FilterErrorKind::Missing { expected: char::from(expected) }));
        }
        self.position += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn error(&self, kind: FilterErrorKind) -> FilterError {
        FilterError { position: self.position, kind }
    }
}

impl fmt::Display for Filter {
    /// The text form of RFC 4515. Bytes that are no plain text are written as escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        match self {
            Self::And(filters) => list(f, "&", filters)?,
            Self::Or(filters) => list(f, "|", filters)?,
            Self::Not(filter) => write!(f, "!{filter}")?,
            Self::Equality { attribute, value } => {
                f.write_str(attribute)?;
                f.write_str("=")?;
                Escaped(value).fmt(f)?;
            }
            Self::Substrings { attribute, initial, any, last } => {
                write!(f, "{attribute}={}*", Escaped(initial.as_deref().unwrap_or_default()))?;
                any.iter().try_for_each(|part| write!(f, "{}*", Escaped(part)))?;
                write!(f, "{}", Escaped(last.as_deref().unwrap_or_default()))?;
            }
            Self::GreaterOrEqual { attribute, value } => {
                write!(f, "{attribute}>={}", Escaped(value))?;
            }
            Self::LessOrEqual { attribute, value } => write!(f, "{attribute}<={}", Escaped(value))?,
            Self::Present(attribute) => write!(f, "{attribute}=*")?,
            Self::Approx { attribute, value } => write!(f, "{attribute}~={}", Escaped(value))?,
            Self::Extensible { rule, attribute, value, dn_attributes } => {
                f.write_str(attribute.as_deref().unwrap_or_default())?;
                if *dn_attributes {
                    f.write_str(":dn")?;
                }
                if let Some(rule) = rule {
                    write!(f, ":{rule}")?;
                }
                write!(f, ":={}", Escaped(value))?;
            }
        }
        f.write_str(")")
    }
}

fn list(f: &mut fmt::Formatter<'_>, operator: &str, filters: &[Filter]) -> fmt::Result {
    f.write_str(operator)?;
    filters.iter().try_for_each(|filter| write!(f, "{filter}"))
}

/// A value with escapes for what has a meaning in filters, for controls, and for bytes that are
/// not UTF-8.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| {
            bytes.iter().try_for_each(|byte| write!(f, "\\{byte:02x}"))
        };
        for chunk in self.0.utf8_chunks() {
            let mut rest = chunk.valid();
            let is_special = |c: char| matches!(c, '*' | '(' | ')' | '\\') || c.is_control();
            while let Some(at) = rest.find(is_special) {
                let (plain, special) = rest.split_at(at);
                let size = special.chars().next().map_or(0, char::len_utf8);
                f.write_str(plain)?;
                escape(f, &special.as_bytes()[..size])?;
                rest = &special[size..];
            }
            f.write_str(rest)?;
            escape(f, chunk.invalid())?;
        }
        Ok(())
    }
}
