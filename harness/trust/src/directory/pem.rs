//! PEM text (RFC 7468) as files of keys and certificates have it, with the places of its blocks.
//!
//! Text around blocks is allowed and kept: it is where people, and [`TrustedServers`], write whose
//! a certificate is.
//!
//! [`TrustedServers`]: super::TrustedServers

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// One block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// What stands behind `BEGIN`.
    pub(super) label: &'a str,
    /// Line of its `BEGIN`, from 1.
    pub(super) line: usize,
    /// Where it ends in the text, behind its last line.
    pub(super) end: usize,
    /// The lines between the end of the block before, or of the text's beginning, and this one.
    pub(super) before: &'a str,
    pub(super) der: Result<Vec<u8>, NotBase64>,
}

/// What stands between the lines of a block is no base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotBase64;

/// A block that begins and does not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) label: String,
    pub(super) line: usize,
}

/// All blocks of a text, in order.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, Unclosed> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize, usize, usize)> = None;
    let (mut at, mut free) = (0, 0);
    for (number, whole) in (1..).zip(text.split_inclusive('\n')) {
        let line = whole.trim_end();
        let next = at + whole.len();
        match open {
            None => {
                if let Some(label) = marked(line, "BEGIN") {
                    open = Some((label, number, at, next));
                }
            }
            Some((label, begun, start, content)) if marked(line, "END") == Some(label) => {
                blocks.push(Block {
                    label,
                    line: begun,
                    end: next,
                    before: &text[free..start],
                    der: from_base64(&text[content..at]).ok_or(NotBase64),
                });
                free = next;
                open = None;
            }
            Some(_) => {}
        }
        at = next;
    }
    match open {
        Some((label, line, ..)) => Err(Unclosed { label: label.to_owned(), line }),
        None => Ok(blocks),
    }
}

/// Base64 with any white space in it; `None` if it is none, or nothing.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.split_whitespace().collect();
    BASE64_STANDARD.decode(digits).ok().filter(|der| !der.is_empty())
}

/// A block with lines of 64 characters.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

/// The label of a line `-----WORD LABEL-----`. It goes into errors, so that it must be one: of a file
/// without line breaks all that it holds stands between the first dashes and the last.
fn marked<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let inside = line.strip_prefix("-----")?.strip_suffix("-----")?;
    let label = inside.strip_prefix(word)?.strip_prefix(' ')?;
    let is_of_label = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ';
    label.chars().all(is_of_label).then_some(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Host: a\n-----BEGIN X-----\r\nAQID\n-----END X-----\nrest\n\
                        -----BEGIN Y-----\n!\n-----END Y-----";

    #[test]
    fn blocks_have_places_and_what_stands_before_them() {
        let found = blocks(TEXT).unwrap();
        let told: Vec<_> =
            found.iter().map(|b| (b.label, b.line, b.before, b.der.clone())).collect();
        assert_eq!(
            told,
            [("X", 2, "Host: a\n", Ok(vec![1, 2, 3])), ("Y", 6, "rest\n", Err(NotBase64))]
        );
        assert_eq!(found[1].end, TEXT.len());
    }

    #[test]
    fn a_block_without_an_end_is_told() {
        let text = "\n-----BEGIN X-----\nAQID\n-----END Y-----\n";
        assert_eq!(blocks(text), Err(Unclosed { label: "X".to_owned(), line: 2 }));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(-----BEGIN X-----|-----END X-----|\n|[a-zA-Z0-9=é -]){0,60}") {
            let _ = blocks(&text);
            let _ = from_base64(&text);
        }

        #[test]
        fn what_is_encoded_is_found(der in prop::collection::vec(any::<u8>(), 1..200)) {
            let text = encode("CERTIFICATE", &der);
            prop_assert_eq!(blocks(&text).unwrap()[0].der.clone(), Ok(der));
        }
    }
}
