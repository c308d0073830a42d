//! The expressions of `get_all_records_where` (xenapi-wire.md §8).
//!
//! A value is a literal or a field; values are compared as the texts that the database stores.
//! `and` and `or` are equal in precedence, left to right; how loosely `not` binds is quirk Q42.

use std::fmt;

use sim_host::ApiError;

/// How deep parentheses and `not` may be nested.
const DEPTH_MAX: usize = 64;
/// How many terms `and` and `or` may join: their tree is as deep.
const TERMS_MAX: usize = 1_000;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Constant(bool),
    Equal(Operand, Operand),
    Not(Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Field(String),
    Literal(String),
}

impl Filter {
    /// Reads an expression. With `not_is_loose`, `not a and b` means `not (a and b)`.
    pub(crate) fn parse(text: &str, not_is_loose: bool) -> Result<Self, ApiError> {
        let mut parser = Parser { text, at: 0, not_is_loose, depth: 0, terms: 0 };
        parser.whole().map_err(|mistake| {
            // Of xapi's text only the place in the error is known.
            ApiError::new("INVALID_VALUE", [text.to_owned(), mistake.to_string()])
        })
    }

    /// Whether it holds for a row whose fields `stored` knows.
    pub(crate) fn holds(&self, stored: &impl Fn(&str) -> Option<String>) -> Result<bool, ApiError> {
        let text = |operand: &Operand| match operand {
            Operand::Literal(text) => Ok(text.clone()),
            Operand::Field(name) => stored(name).ok_or_else(|| {
                // As xapi: the expression can be read, but no row can be judged by it.
                ApiError::new("INTERNAL_ERROR", ["missing field", name.as_str(), ""])
            }),
        };
        Ok(match self {
            Self::And(left, right) => left.holds(stored)? && right.holds(stored)?,
            Self::Constant(value) => *value,
            Self::Equal(left, right) => text(left)? == text(right)?,
            Self::Not(inner) => !inner.holds(stored)?,
            Self::Or(left, right) => left.holds(stored)? || right.holds(stored)?,
        })
    }
}

/// Why a text is no expression, and where.
#[derive(Debug)]
struct Mistake {
    at: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    Expected(&'static str, Token),
    Long,
    Nested,
    Unclosed,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.at)?;
        match &self.what {
            What::Expected(wanted, Token::End) => write!(f, "expected {wanted}, found the end"),
            What::Expected(wanted, found) => write!(f, "expected {wanted}, found {found}"),
            What::Long => write!(f, "more than {TERMS_MAX} terms"),
            What::Nested => write!(f, "nested more than {DEPTH_MAX} deep"),
            What::Unclosed => f.write_str("the text that begins here has no closing quote"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Close,
    End,
    Equals,
    Open,
    Quoted(String),
    Stray(char),
    Word(String),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close => f.write_str("`)`"),
            Self::End => f.write_str("the end"),
            Self::Equals => f.write_str("`=`"),
            Self::Open => f.write_str("`(`"),
            Self::Quoted(text) => write!(f, "\"{text}\""),
            Self::Stray(character) => write!(f, "`{character}`"),
            Self::Word(word) => write!(f, "`{word}`"),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    not_is_loose: bool,
    depth: usize,
    terms: usize,
}

/// Where a token begins, the token, and where the next may begin.
type Found = (usize, Token, usize);

impl Parser<'_> {
    fn whole(&mut self) -> Result<Filter, Mistake> {
        let filter = self.expression()?;
        match self.peek()? {
            (_, Token::End, _) => Ok(filter),
            (at, found, _) => {
                Err(Mistake { at, what: What::Expected("`and`, `or` or the end", found) })
            }
        }
    }

    /// Terms with `and` and `or` between them.
    fn expression(&mut self) -> Result<Filter, Mistake> {
        let mut left = self.term()?;
        loop {
            let (_, token, next) = self.peek()?;
            let join = match &token {
                Token::Word(word) if word == "and" => Filter::And,
                Token::Word(word) if word == "or" => Filter::Or,
                _ => return Ok(left),
            };
            self.at = next;
            left = join(Box::new(left), Box::new(self.term()?));
        }
    }

    fn term(&mut self) -> Result<Filter, Mistake> {
        let (at, token, next) = self.peek()?;
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(Mistake { at, what: What::Long });
        }
        let expected = |found| {
            let wanted = "`field`, a quoted text, `not`, `true`, `false` or `(`";
            Err(Mistake { at, what: What::Expected(wanted, found) })
        };
        match token {
            Token::Open => {
                self.at = next;
                let inner = self.nested(at, Self::expression)?;
                self.take(&Token::Close, "`)`")?;
                Ok(inner)
            }
            Token::Word(word) => match word.as_str() {
                "not" => {
                    self.at = next;
                    let reach = if self.not_is_loose { Self::expression } else { Self::term };
                    Ok(Filter::Not(Box::new(self.nested(at, reach)?)))
                }
                "true" | "false" => {
                    self.at = next;
                    Ok(Filter::Constant(word == "true"))
                }
                "field" => self.comparison(),
                _ => expected(Token::Word(word)),
            },
            Token::Quoted(_) => self.comparison(),
            found => expected(found),
        }
    }

    fn comparison(&mut self) -> Result<Filter, Mistake> {
        let left = self.operand()?;
        self.take(&Token::Equals, "`=`")?;
        Ok(Filter::Equal(left, self.operand()?))
    }

    fn operand(&mut self) -> Result<Operand, Mistake> {
        let (at, token, next) = self.peek()?;
        self.at = next;
        match token {
            Token::Quoted(text) => Ok(Operand::Literal(text)),
            Token::Word(word) if word == "field" => match self.peek()? {
                (_, Token::Quoted(name), next) => {
                    self.at = next;
                    Ok(Operand::Field(name))
                }
                (at, found, _) => {
                    let wanted = "the name of a field in quotes";
                    Err(Mistake { at, what: What::Expected(wanted, found) })
                }
            },
            found => Err(Mistake { at, what: What::Expected("`field` or a quoted text", found) }),
        }
    }

    fn nested(
        &mut self,
        at: usize,
        read: fn(&mut Self) -> Result<Filter, Mistake>,
    ) -> Result<Filter, Mistake> {
        if self.depth == DEPTH_MAX {
            return Err(Mistake { at, what: What::Nested });
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn take(&mut self, wanted: &Token, name: &'static str) -> Result<(), Mistake> {
        let (at, found, next) = self.peek()?;
        if found != *wanted {
            return Err(Mistake { at, what: What::Expected(name, found) });
        }
        self.at = next;
        Ok(())
    }

    fn peek(&self) -> Result<Found, Mistake> {
        let rest = &self.text[self.at..];
        let at = self.at + rest.find(|c| !matches!(c, ' ' | '\t' | '\n')).unwrap_or(rest.len());
        let rest = &self.text[at..];
        let Some(first) = rest.chars().next() else { return Ok((at, Token::End, at)) };
        let one = |token| Ok((at, token, at + first.len_utf8()));
        match first {
            '(' => one(Token::Open),
            ')' => one(Token::Close),
            '=' => one(Token::Equals),
            '"' => match rest[1..].split_once('"') {
                Some((text, _)) => Ok((at, Token::Quoted(text.to_owned()), at + text.len() + 2)),
                None => Err(Mistake { at, what: What::Unclosed }),
            },
            'a'..='z' => {
                let length = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
                Ok((at, Token::Word(rest[..length].to_owned()), at + length))
            }
            _ => one(Token::Stray(first)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(text: &str, loose: bool) -> Result<bool, Vec<String>> {
        let row = |name: &str| match name {
            "type" => Some("ca".to_owned()),
            "name" => Some(String::new()),
            _ => None,
        };
        let filter = Filter::parse(text, loose).map_err(|error| error.params)?;
        filter.holds(&row).map_err(|error| error.params)
    }

    /// The samples of xenapi-wire.md §8, for a trusted CA.
    #[test]
    fn samples() {
        for (text, expected) in [
            (r#"field "type"="ca" and field "name"="""#, true),
            (r#"field "type"="pinned" and field "name"="""#, false),
            (r#"field "type"="ca" or field "type"="pinned""#, true),
            (r#"field "type"="ca" and not (field "name"="")"#, false),
            ("true", true),
            ("false", false),
            (" \t\n( ( true ) ) ", true),
            (r#""a"="a" and "a"=field "type""#, false),
            (r#""ca"=field "type""#, true),
        ] {
            for loose in [false, true] {
                assert_eq!(judge(text, loose), Ok(expected), "{text}");
            }
        }
    }

    #[test]
    fn and_and_or_are_equal_and_go_left_to_right() {
        assert_eq!(judge("true or true and false", true), Ok(false));
        assert_eq!(judge("true or (true and false)", true), Ok(true));
    }

    #[test]
    fn quirk_q42_decides_how_far_not_reaches() {
        for (text, loose, tight) in [
            ("not false and false", true, false),
            ("not true or true", false, true),
            ("true and not false and false", true, false),
            ("(not false) and false", false, false),
            ("not not true", true, true),
        ] {
            assert_eq!((judge(text, true), judge(text, false)), (Ok(loose), Ok(tight)), "{text}");
        }
    }

    #[test]
    fn mistakes_say_where_and_what() {
        let nested = "(".repeat(DEPTH_MAX + 1);
        let long = format!("{}true", "true and ".repeat(TERMS_MAX));
        assert!(judge(&long[9..], true).is_ok());
        for (text, what) in [
            (
                "",
                "byte 0: expected `field`, a quoted text, `not`, `true`, `false` or `(`, found the end",
            ),
            ("field type", "byte 6: expected the name of a field in quotes, found `type`"),
            (r#"field "type" <> "ca""#, "byte 13: expected `=`, found `<`"),
            (r#"field "type"="#, "byte 13: expected `field` or a quoted text, found the end"),
            (r#"field "type"="ca"#, "byte 13: the text that begins here has no closing quote"),
            ("(true", "byte 5: expected `)`, found the end"),
            ("true true", "byte 5: expected `and`, `or` or the end, found `true`"),
            (
                "TRUE",
                "byte 0: expected `field`, a quoted text, `not`, `true`, `false` or `(`, found `T`",
            ),
            (&long, "byte 9000: more than 1000 terms"),
            (&nested, "byte 64: nested more than 64 deep"),
        ] {
            let params = vec![text.to_owned(), what.to_owned()];
            assert_eq!(Filter::parse(text, true).unwrap_err().params, params);
        }
        let missing = ["missing field", "nmae", ""].map(str::to_owned).to_vec();
        assert_eq!(judge(r#"field "nmae"="x""#, true), Err(missing));
        // Never judged: nothing is missed.
        assert_eq!(judge(r#"false and field "nmae"="x""#, true), Ok(false));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"(field|not|and|or|true|false|\(|\)|=|"[a-z]*"|"| |ö|<){0,40}"#) {
            for loose in [false, true] {
                let _ = judge(&text, loose);
            }
        }

        #[test]
        fn long_nests_end(depth in 0_usize..200, word in prop::sample::select(vec!["(", "not "])) {
            let parsed = Filter::parse(&format!("{}true", word.repeat(depth)), true);
            prop_assert_eq!(parsed.is_ok(), depth == 0 || (word == "not " && depth <= DEPTH_MAX));
        }
    }
}
