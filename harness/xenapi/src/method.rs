//! Which method a request means, and whether it has the right number of parameters
//! (xenapi-wire.md §5, steps 1 to 3).

use ground::Secret;
use sim_host::{ApiError, Call, Pool, Profile, Quirk, Quirks, Reference, datamodel};
use xenapi_client::{Request, Value};

use crate::{
    calls::{Arguments, Effect, Entry},
    classes::{Read, Wanted},
};

/// What stands before the name of a method that is to go on by itself.
const ASYNC: &str = "Async.";

/// A method that exists.
pub(crate) struct Method {
    /// Real name, with a dot.
    pub(crate) name: String,
    /// Whether it is to go on by itself.
    pub(crate) is_async: bool,
    /// As the client wrote it, but for `Async.`.
    spelt: String,
    action: Action,
}

#[derive(Clone, Copy)]
enum Action {
    Entry(&'static Entry),
    LogIn,
    Read(Read),
}

/// A request that can be carried out: method and arguments fit.
pub(crate) enum Job {
    LogIn { user: String, password: Secret, originator: String },
    InSession { session: Reference, work: Work },
}

/// What is done in a session.
pub(crate) enum Work {
    /// A call of the pool.
    Call(Call),
    /// What only hosts of the pool may do among each other.
    Internal,
    /// A look into the database.
    Read { read: Read, wanted: Wanted },
    /// What concerns the session that does it.
    Session(SessionWork),
}

/// What concerns sessions and tasks, and so must know whose session asks.
pub(crate) enum SessionWork {
    CancelTask(Reference),
    CreateTask {
        label: String,
        description: String,
    },
    DestroyTask(Reference),
    LogOut,
    /// The sessions of an account, but not the one that asks.
    LogOutSubject(String),
}

impl Method {
    /// The method that a client calls `Class.message`, `Class_message` or `Async.Class.message`.
    pub(crate) fn find(written: &str) -> Result<Self, ApiError> {
        let (is_async, spelt) = match written.strip_prefix(ASYNC) {
            Some(spelt) => (true, spelt),
            None => (false, written),
        };
        let unknown = || ApiError::new("MESSAGE_METHOD_UNKNOWN", [spelt]);
        let split = spelt.split_once('.').or_else(|| spelt.split_once('_'));
        let (class, message) = split.ok_or_else(unknown)?;
        let name = format!("{class}.{message}");
        let action = match Entry::find(&name) {
            Some(entry) => Action::Entry(entry),
            None if name == "session.login_with_password" => Action::LogIn,
            None => Action::Read(Read::find(class, message).ok_or_else(unknown)?),
        };
        Ok(Self { name, is_async, spelt: spelt.to_owned(), action })
    }

    /// The same, if the pool has it.
    pub(crate) fn of(self, pool: &Pool) -> Result<Self, ApiError> {
        if pool.has_call(&self.name) {
            return Ok(self);
        }
        Err(ApiError::new("MESSAGE_METHOD_UNKNOWN", [self.spelt]))
    }

    /// Whether it can go on by itself.
    pub(crate) fn supports_async(&self) -> bool {
        datamodel::Message::find(&self.name).is_some_and(|message| message.asynchronous)
    }

    /// Whether every role may use it.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(self.action, Action::Read(_))
    }

    /// Reads the parameters. xapi does so before it looks at the session.
    pub(crate) fn job(
        &self,
        request: &Request,
        profile: Profile,
        quirks: &Quirks,
    ) -> Result<Job, ApiError> {
        let arguments = self.arguments(request, profile, quirks)?;
        let work = match self.action {
            Action::LogIn => {
                // The third, the version, is ignored.
                return Ok(Job::LogIn {
                    user: arguments.text(0)?.to_owned(),
                    password: Secret::new(arguments.text(1)?),
                    originator: arguments.optional_text(3)?.unwrap_or_default().to_owned(),
                });
            }
            Action::Read(read) => Work::Read { read, wanted: read.wanted(&arguments)? },
            Action::Entry(entry) => match entry.effect {
                Effect::Call(make) => Work::Call(make(&arguments)?),
                Effect::Internal => Work::Internal,
                Effect::Session(make) => Work::Session(make(&arguments)?),
            },
        };
        let Some(Value::Text(session)) = request.params.first() else {
            return Err(ApiError::new("INTERNAL_ERROR", ["the session is no reference"]));
        };
        Ok(Job::InSession { session: Reference::new(session), work })
    }

    /// The parameters after the session, if their number is right.
    fn arguments<'a>(
        &self,
        request: &'a Request,
        profile: Profile,
        quirks: &Quirks,
    ) -> Result<Arguments<'a>, ApiError> {
        let (required, defaulted) = match self.action {
            Action::Entry(entry) => (entry.required, entry.defaulted(profile)),
            Action::LogIn => (2, 2),
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
                [self.spelt.clone(), expected.to_string(), received],
            ));
        }
        Ok(Arguments(arguments.unwrap_or_default()))
    }
}
