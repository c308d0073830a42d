//! From where the client calls: every call with what may be shown of its parameters and what it
//! came to.

use std::fmt;

use ground::{Secret, Trail};
use serde::Serialize;

use super::{JoinError, Login};
use crate::{
    CallError, Session, Value,
    facts::{ClientAnswered, ClientCalls},
    fingerprint::fingerprint_of_pem,
};

/// One of the two ends of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The host that is to join.
    Joiner,
    /// The coordinator of the pool.
    Pool,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joiner => "the joiner",
            Self::Pool => "the pool",
        })
    }
}

/// A call that has ended.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Where.
    pub at: Side,
    /// Which call.
    pub method: String,
    /// Its parameters after the session, by their names, as far as they may be shown.
    pub params: Vec<(String, String)>,
    /// What it returned, or the code and parameters of its failure, or why there was no answer.
    pub outcome: Result<String, Vec<String>>,
}

/// A parameter, and what may be shown of it.
#[derive(Clone, Debug)]
pub struct Param {
    name: &'static str,
    value: Value,
    shown: String,
}

impl Param {
    pub(super) fn text(name: &'static str, text: impl fmt::Display) -> Self {
        let shown = text.to_string();
        Self { name, value: Value::text(&shown), shown }
    }

    pub(super) fn bool(name: &'static str, value: bool) -> Self {
        Self { name, value: Value::Bool(value), shown: value.to_string() }
    }

    pub(super) fn texts<T: fmt::Display>(
        name: &'static str,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let value = Value::texts(texts);
        let shown = format!("[{}]", value.as_texts().unwrap_or_default().join(", "));
        Self { name, value, shown }
    }

    pub(super) fn secret(name: &'static str, secret: &Secret) -> Self {
        Self { name, value: Value::text(secret.expose()), shown: "***".to_owned() }
    }

    pub(super) fn certificate(name: &'static str, pem: &str) -> Self {
        Self { name, value: Value::text(pem), shown: shown_pem(pem) }
    }

    pub(super) fn map(name: &'static str, members: Vec<(&'static str, Self)>) -> Self {
        let shown: Vec<_> =
            members.iter().map(|(key, part)| format!("{key}: {}", part.shown)).collect();
        let shown = format!("{{{}}}", shown.join(", "));
        let members = members.into_iter().map(|(key, part)| (key.to_owned(), part.value));
        Self { name, value: Value::Struct(members.collect()), shown }
    }
}

/// Who calls.
pub(super) struct Desk<'a> {
    watch: &'a mut (dyn FnMut(&Step) + Send),
    trail: &'a Trail,
}

impl<'a> Desk<'a> {
    pub(super) fn new(watch: &'a mut (dyn FnMut(&Step) + Send), trail: &'a Trail) -> Self {
        Self { watch, trail }
    }

    pub(super) async fn log_in(&mut self, at: Side, login: &Login) -> Result<Session, JoinError> {
        let params = vec![Param::text("uname", &login.user), Param::secret("pwd", &login.password)];
        let call = self.begin(at, "session.login_with_password", params);
        let Login { client, user, password } = login;
        let session = client.log_in(user, password, env!("CARGO_PKG_NAME"), &call.trail).await;
        let answer = session.as_ref().map(|_| Value::text("a session"));
        self.end(&call, answer.as_ref().map_err(|error| *error));
        session.map_err(|error| call.failed(error))
    }

    /// A session that cannot be ended ends by itself some day.
    pub(super) async fn log_out(&mut self, at: Side, session: Session) {
        let call = self.begin(at, "session.logout", Vec::new());
        let answer = session.log_out(&call.trail).await.map(|()| Value::void());
        self.end(&call, answer.as_ref());
    }

    pub(super) async fn call(
        &mut self,
        at: Side,
        session: &Session,
        method: &str,
        params: Vec<Param>,
    ) -> Result<Value, JoinError> {
        let values: Vec<_> = params.iter().map(|param| param.value.clone()).collect();
        let call = self.begin(at, method, params);
        let answer = session.call(method, &values, &call.trail).await;
        self.end(&call, answer.as_ref());
        answer.map_err(|error| call.failed(error))
    }

    /// A call that returns a text.
    pub(super) async fn text(
        &mut self,
        at: Side,
        session: &Session,
        method: &str,
        params: Vec<Param>,
    ) -> Result<String, JoinError> {
        let value = self.call(at, session, method, params).await?;
        let text = value.as_text().map(str::to_owned);
        text.ok_or_else(|| unexpected(at, method, "a text"))
    }

    /// A call that returns a set of texts.
    pub(super) async fn texts(
        &mut self,
        at: Side,
        session: &Session,
        method: &str,
        params: Vec<Param>,
    ) -> Result<Vec<String>, JoinError> {
        let value = self.call(at, session, method, params).await?;
        let texts = value.as_texts().ok_or_else(|| unexpected(at, method, "a set of texts"))?;
        Ok(texts.into_iter().map(str::to_owned).collect())
    }

    fn begin(&self, at: Side, method: &str, params: Vec<Param>) -> Begun {
        let params = params.into_iter().map(|param| (param.name.to_owned(), param.shown));
        let params: Vec<_> = params.collect();
        let shown: Vec<_> = params.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let method = method.to_owned();
        let calls = ClientCalls { at, method: method.clone(), params: shown.join("; ") };
        Begun { at, method, params, trail: self.trail.begin(calls) }
    }

    fn end(&mut self, call: &Begun, answer: Result<&Value, &CallError>) {
        let outcome = match answer {
            Ok(value) => Ok(shown(value)),
            Err(CallError::Api(error)) => {
                Err(std::iter::once(&error.code).chain(&error.params).cloned().collect())
            }
            Err(CallError::Client(error)) => Err(vec![error.to_string()]),
        };
        call.trail.record(ClientAnswered {
            returned: outcome.as_ref().ok().cloned(),
            error: outcome.as_ref().err().and_then(|texts: &Vec<String>| texts.first().cloned()),
        });
        let Begun { at, method, params, .. } = call;
        let (method, params) = (method.clone(), params.clone());
        (self.watch)(&Step { at: *at, method, params, outcome });
    }
}

/// A call that has not ended.
struct Begun {
    at: Side,
    method: String,
    params: Vec<(String, String)>,
    trail: Trail,
}

impl Begun {
    fn failed(self, error: CallError) -> JoinError {
        JoinError::Call { at: self.at, method: self.method, error }
    }
}

pub(super) fn unexpected(at: Side, method: &str, expected: &'static str) -> JoinError {
    JoinError::Unexpected { at, method: method.to_owned(), expected }
}

/// Certificates by their fingerprints, records by their references.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(shown).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Struct(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| match value {
                    Value::Struct(_) => name.clone(),
                    value => format!("{name}: {}", shown(value)),
                })
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Text(text) if text.contains("-----BEGIN ") => shown_pem(text),
        Value::Text(text) => text.clone(),
        other => other.to_json(),
    }
}

fn shown_pem(pem: &str) -> String {
    let fingerprint = fingerprint_of_pem(pem).unwrap_or_else(|| "unreadable".to_owned());
    format!("<certificate {fingerprint}>")
}
