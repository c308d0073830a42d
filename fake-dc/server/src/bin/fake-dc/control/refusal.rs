//! What is answered to a request that cannot be met.

use fake_dc::{Error, FaultError};
use hyper::{Method, StatusCode, header::HeaderValue};
use serde_json::{Value, json};

/// A status, what is wrong, and what would be right.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    help: Option<String>,
    /// Names that would have been understood.
    known: Vec<String>,
    allowed: Option<HeaderValue>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), help: None, known: Vec::new(), allowed: None }
    }

    /// Nothing is at that path.
    pub(super) fn no_such_path(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("nothing is at `{path}`"))
            .help("`GET /v1/domain` shows the names of DCs and routes; CONTROL.md has all paths")
    }

    /// Something is there that cannot be asked this.
    pub(super) fn wrong_method(method: &Method, allowed: &'static str) -> Self {
        let mut refusal = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{method} has no meaning here; use {allowed}"),
        );
        refusal.allowed = Some(HeaderValue::from_static(allowed));
        refusal
    }

    /// With advice.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn allowed(&self) -> Option<HeaderValue> {
        self.allowed.clone()
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({ "error": self.error });
        if let Some(help) = &self.help {
            json["help"] = json!(help);
        }
        if !self.known.is_empty() {
            json["known"] = json!(self.known);
        }
        json
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::UnknownDc { .. } | Error::UnknownRoute { .. } | Error::FaultNotSet { .. } => {
                StatusCode::NOT_FOUND
            }
            Error::Bind { .. } | Error::ChainIsGiven { .. } | Error::RouteIsOpen { .. } => {
                StatusCode::CONFLICT
            }
            Error::Fault(_) | Error::NotOnRoute { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut refusal = Self::new(status, error.to_string());
        refusal.help = error.remedy();
        refusal.known = match error {
            Error::UnknownDc { known, .. } | Error::UnknownRoute { known, .. } => known,
            Error::FaultNotSet { present, .. } => present,
            Error::Fault(FaultError::Unknown(unknown)) => {
                unknown.nearest.into_iter().map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        refusal
    }
}

impl From<FaultError> for Refusal {
    fn from(error: FaultError) -> Self {
        Error::from(error).into()
    }
}
