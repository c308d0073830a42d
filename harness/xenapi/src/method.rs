//! Which method a request means, and whether it has the right number of parameters
//! (xenapi-wire.md §5, steps 1 to 3).

use ground::Secret;
use sim_host::{ApiError, Call, Profile, Quirk, Quirks, Reference};

use crate::{
    calls::{Arguments, Effect, Entry},
    classes::Read,
    request::Request,
    value::Value,
};

/// A method that exists.
pub(crate) struct Method {
    /// Real name, with a dot.
    pub(crate) name: String,
    action: Action,
}

#[derive(Clone, Copy)]
enum Action {
    Entry(&'static Entry),
    LogIn,
    LogOut,
    Read(Read),
}

/// A request that can be carried out: method and arguments fit.
pub(crate) enum Task {
    LogIn { user: String, password: Secret, originator: String },
    InSession { session: Reference, work: Work },
}

/// What is done in a session.
pub(crate) enum Work {
    Call(Call),
    Internal,
    LogOut,
    Read { read: Read, wanted: String },
}

impl Method {
    /// The method that a client calls `Class.message` or `Class_message`.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let (class, message) = name.split_once('.').or_else(|| name.split_once('_'))?;
        let name = format!("{class}.{message}");
        let action = match name.as_str() {
            "session.login_with_password" => Action::LogIn,
            "session.logout" => Action::LogOut,
            _ => match Entry::find(&name) {
                Some(entry) => Action::Entry(entry),
                None => Action::Read(Read::find(class, message)?),
            },
        };
        Some(Self { name, action })
    }

    /// Reads the parameters. xapi does so before it looks at the session.
    pub(crate) fn task(
        &self,
        request: &Request,
        profile: Profile,
        quirks: &Quirks,
    ) -> Result<Task, ApiError> {
        let (required, defaulted) = match self.action {
            Action::Entry(entry) => (entry.required, entry.defaulted(profile)),
            Action::LogIn => (2, 2),
            Action::LogOut => (0, 0),
            Action::Read(read) => (read.parameters(), 0),
        };
        let has_session = !matches!(self.action, Action::LogIn);
        let arguments = if has_session { request.params.get(1..) } else { Some(&*request.params) };
        let count = arguments.map(<[Value]>::len);
        let surplus_passes = defaulted > 0 && quirks.has(Quirk::ExtraArgsIgnored);
        let most = required + defaulted;
        let expected = match count {
            Some(count) if count > most && !surplus_passes => Some(most),
            Some(count) if count >= required => None,
            _ => Some(required),
        };
        if let Some(expected) = expected {
            // Without even a session xapi counts -1.
            let received = count.map_or("-1".to_owned(), |count| count.to_string());
            return Err(ApiError::new(
                "MESSAGE_PARAMETER_COUNT_MISMATCH",
                [request.method.clone(), expected.to_string(), received],
            ));
        }
        let arguments = Arguments(arguments.unwrap_or_default());
        let work = match self.action {
            Action::LogIn => {
                // The third, the version, is ignored.
                return Ok(Task::LogIn {
                    user: arguments.text(0)?.to_owned(),
                    password: Secret::new(arguments.text(1)?),
                    originator: arguments.optional_text(3)?.unwrap_or_default().to_owned(),
                });
            }
            Action::LogOut => Work::LogOut,
            Action::Read(read) => {
                let wanted = if read.parameters() == 0 { "" } else { arguments.text(0)? };
                Work::Read { read, wanted: wanted.to_owned() }
            }
            Action::Entry(entry) => match entry.effect {
                Effect::Call(make) => Work::Call(make(&arguments)?),
                Effect::Internal => Work::Internal,
            },
        };
        let Some(Value::Text(session)) = request.params.first() else {
            return Err(ApiError::new("INTERNAL_ERROR", ["the session is no reference"]));
        };
        Ok(Task::InSession { session: Reference::new(session), work })
    }
}
