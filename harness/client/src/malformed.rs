//! What cannot be read.

/// A body that holds no request, or no answer. No variant holds a value of the request: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The content is not of the type of its element.
    #[error("a value is no {kind}")]
    Content {
        /// The type.
        kind: &'static str,
    },
    /// Too many arrays and structs inside each other.
    #[error("values are nested more than {max} deep")]
    Depth {
        /// How many are followed.
        max: usize,
    },
    /// XML with a document type.
    #[error("a document type is not taken")]
    DocumentType,
    /// Another element was expected.
    #[error("expected {expected}, found {found}")]
    Element {
        /// What should have stood there.
        expected: &'static str,
        /// What stood there.
        found: String,
    },
    /// An entity that XML does not define.
    #[error("the entity `&{name};` is not known")]
    Entity {
        /// Its name.
        name: String,
    },
    /// A member is missing or wrong.
    #[error("member `{name}` is missing or of the wrong type")]
    Member {
        /// Its name.
        name: &'static str,
    },
    /// No UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// No JSON.
    #[error("line {line}, column {column}: this is no JSON")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// No XML.
    #[error("byte {at}: this is no XML")]
    Xml {
        /// Offset from the start.
        at: u64,
    },
}
