//! Writing LDIF: folded at 76 columns, and in base64 what is no plain text (RFC 2849).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Record, RecordAttribute};

/// Columns of a line.
const WIDTH: usize = 76;

impl fmt::Display for Record {
    /// Writes the record with its final newline. Long lines are folded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_item(f, "dn", self.dn.as_bytes())?;
        for RecordAttribute { attribute, .. } in &self.attributes {
            for value in &attribute.values {
                write_item(f, &attribute.name, value)?;
            }
        }
        Ok(())
    }
}

fn write_item(f: &mut fmt::Formatter<'_>, name: &str, value: &[u8]) -> fmt::Result {
    let line = match std::str::from_utf8(value) {
        Ok("") => format!("{name}:"),
        Ok(text) if is_safe(text) => format!("{name}: {text}"),
        _ => format!("{name}:: {}", STANDARD.encode(value)),
    };
    // ASCII alone, so that columns are bytes.
    let (mut rest, mut width) = (line.as_str(), WIDTH);
    while rest.len() > width {
        let (head, tail) = rest.split_at(width);
        writeln!(f, "{head}")?;
        f.write_str(" ")?;
        // The space takes one column.
        (rest, width) = (tail, WIDTH - 1);
    }
    writeln!(f, "{rest}")
}

/// `SAFE-STRING` of RFC 2849, which is ASCII, and no space at the end.
fn is_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r'))
        && !text.starts_with([' ', ':', '<'])
        && !text.ends_with(' ')
}
