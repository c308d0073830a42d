//! What a call answers when it fails.

use std::fmt;

/// A failure of a call: its code and the parameters that follow it in `ErrorDescription`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Code, such as `AUTH_SET_LDAPS_FAILED`.
    pub code: String,
    /// Parameters in order.
    pub params: Vec<String>,
}

impl ApiError {
    /// A failure with parameters.
    pub fn new(
        code: impl Into<String>,
        params: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self { code: code.into(), params: params.into_iter().map(Into::into).collect() }
    }

    /// A failure that says all by its code.
    pub fn bare(code: &str) -> Self {
        Self { code: code.to_owned(), params: Vec::new() }
    }

    /// A failure that is no XenAPI error (xapi-flows.md §0.3).
    pub fn internal(text: impl fmt::Display) -> Self {
        Self::new("INTERNAL_ERROR", [text.to_string()])
    }

    /// A reference that leads to no record of its class.
    pub fn handle_invalid(class: &str, reference: impl fmt::Display) -> Self {
        Self::new("HANDLE_INVALID", [class, &reference.to_string()])
    }
}

/// The form in which xapi embeds one error in the text of another (xapi-flows.md §0.3).
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [ {} ]", self.code, self.params.join("; "))
    }
}

impl std::error::Error for ApiError {}
