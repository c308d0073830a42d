//! The API of the management server: `/client/api`, by GET or POST, answered in JSON or XML as
//! CloudStack does (`ApiServer`, `ApiAsyncJobDispatcher` and `ApiErrorCode` of CloudStack 4).
//!
//! It stands for CloudStack's integration port: nobody has to log in. An upload is a job: the call
//! answers with its identifier, and `queryAsyncJobResult` with what came of it. What is wrong with
//! parameters is answered at once.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ground::{Timestamp, Trail};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{
    CloudError, Upload, UploadError,
    cloud::State,
    facts::{ApiCalled, JobEnded},
    reasons::CALL_FAILED,
    web::{Door, Reply, Request, Server, ask_plainly},
};

/// Where the API is.
pub const API_PATH: &str = "/client/api";

const VERSION: &str = "4.4.0";
const UPLOAD: &str = "uploadCustomCertificate";
const QUERY: &str = "queryAsyncJobResult";
const CONFIGURE: &str = "updateConfiguration";
const UPLOADED: &str = "Certificate has been successfully updated, if its the server certificate we \
     would reboot all running console proxy VMs and secondary storage VMs to propagate the new \
     certificate, please give a few minutes for console access and storage services service to be up \
     and working again";

/// CloudStack's `ApiErrorCode`, which is the status of HTTP, too.
#[derive(Clone, Copy)]
pub(super) enum ErrorCode {
    Parameter = 431,
    UnsupportedAction = 432,
    Internal = 530,
}

impl ErrorCode {
    pub(super) const ALL: [Self; 3] = [Self::Parameter, Self::UnsupportedAction, Self::Internal];
}

/// What `cserrorcode` is for exceptions that have no number of their own.
const NO_NUMBER: u32 = 9_999;
/// Jobs that are remembered.
const JOBS_MAX: usize = 1_000;

/// The jobs of a management server.
#[derive(Default)]
pub(super) struct Jobs {
    by_id: Mutex<BTreeMap<String, Job>>,
    made: Mutex<u64>,
    ended: watch::Sender<u64>,
    /// Those that are at work.
    tasks: Mutex<JoinSet<()>>,
}

struct Job {
    /// The how-manieth it is.
    number: u64,
    created: Timestamp,
    completed: Option<Timestamp>,
    outcome: Option<Result<(), String>>,
}

impl Jobs {
    /// The id of a new job, in place of the oldest that has ended; `None` if all are at work.
    fn begin(&self, state: &State) -> Option<String> {
        let mut jobs = self.lock();
        if jobs.len() >= JOBS_MAX {
            let ended = jobs.iter().filter(|(_, job)| job.outcome.is_some());
            let oldest = ended.min_by_key(|(_, job)| job.number)?.0.clone();
            jobs.remove(&oldest);
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made += 1;
        let number = *made;
        let id = state.options.seed.uuid(&format!("job {number}")).to_string();
        let created = state.options.clock.now();
        jobs.insert(id.clone(), Job { number, created, completed: None, outcome: None });
        Some(id)
    }

    /// Does the work of a job. It ends the job even if it breaks off.
    fn work<W>(&self, id: String, state: &Arc<State>, trail: Trail, work: W)
    where
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        let end = Ending { id, state: Arc::clone(state), trail, outcome: None };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let mut end = end;
            end.outcome = Some(work.await);
        });
    }

    /// Stops all work.
    pub(super) async fn stop(&self) {
        let mut tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        tasks.shutdown().await;
    }

    /// Whoever sees the result finds its end recorded.
    fn end(&self, id: &str, now: Timestamp, outcome: Result<(), String>, trail: &Trail) {
        {
            let mut jobs = self.lock();
            trail.record(JobEnded { success: outcome.is_ok() });
            if let Some(job) = jobs.get_mut(id) {
                job.completed = Some(now);
                job.outcome = Some(outcome);
            }
        }
        self.ended.send_modify(|ended| *ended += 1);
    }

    async fn is_over(&self, id: &str) {
        let is_over = |_: &u64| self.lock().get(id).is_none_or(|job| job.outcome.is_some());
        // Fails when the sender is gone; it lives in `self`.
        let _ = self.ended.subscribe().wait_for(is_over).await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a job when it is dropped.
struct Ending {
    id: String,
    state: Arc<State>,
    trail: Trail,
    outcome: Option<Result<(), String>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let broken = || Err("the job was broken off".to_owned());
        let outcome = self.outcome.take().unwrap_or_else(broken);
        let now = self.state.options.clock.now();
        self.state.jobs.end(&self.id, now, outcome, &self.trail);
    }
}

/// Serves the API.
pub(super) fn serve(listener: TcpListener, door: Door, state: Arc<State>) -> io::Result<Server> {
    let ledger = state.options.ledger.clone();
    Server::start(listener, door, ledger, move |request| {
        let state = Arc::clone(&state);
        async move { answer(&state, &request) }
    })
}

/// Calls the API as a client does and waits for the job; the error is the text of the answer.
pub(super) async fn call_and_wait(
    address: SocketAddr,
    query: &str,
    state: &State,
    trail: &Trail,
) -> Result<(), String> {
    let called = call(address, query, trail).await.map_err(|refused| refused.words)?;
    let id = called["uploadcustomcertificateresponse"]["jobid"].as_str().unwrap_or_default();
    state.jobs.is_over(id).await;
    let query = format!("command={QUERY}&response=json&jobid={id}");
    let result = call(address, &query, trail).await.map_err(|refused| refused.words)?;
    let result = &result["queryasyncjobresultresponse"];
    match result["jobstatus"].as_u64() {
        Some(1) => Ok(()),
        _ => Err(result["jobresult"]["errortext"].as_str().unwrap_or_default().to_owned()),
    }
}

/// A call that the API refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct RefusedCall {
    /// The code of CloudStack and status of HTTP; 0 if there is no answer.
    pub code: u16,
    /// The text of the error.
    pub words: String,
}

impl RefusedCall {
    /// Its name in expectations.
    pub fn reason(&self) -> String {
        match self.code {
            0 => CALL_FAILED.to_owned(),
            code => format!("api-{code}"),
        }
    }
}

/// Calls the API over HTTP and wants the answer in JSON.
pub(super) async fn call(
    address: SocketAddr,
    query: &str,
    trail: &Trail,
) -> Result<Value, RefusedCall> {
    let unanswered = |error: io::Error| RefusedCall { code: 0, words: error.to_string() };
    let name = address.to_string();
    let answered = ask_plainly(address, "POST", &name, API_PATH, query.as_bytes(), trail).await;
    let (code, body) = answered.map_err(unanswered)?;
    let answer: Value = serde_json::from_slice(&body).map_err(|error| unanswered(error.into()))?;
    if code == 200 {
        return Ok(answer);
    }
    let text = answer.as_object().and_then(|answer| answer.values().next());
    let words = text.and_then(|text| text["errortext"].as_str()).unwrap_or_default().to_owned();
    Err(RefusedCall { code, words })
}

/// What a call asks for, whatever it is.
#[derive(Default)]
struct Call {
    command: String,
    wants_json: bool,
    job: Option<String>,
    setting: Option<String>,
    value: Option<String>,
}

impl Call {
    fn of(query: &str) -> Self {
        let mut call = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.to_ascii_lowercase().as_str() {
                "command" => call.command = value.into_owned(),
                "response" => call.wants_json = value.eq_ignore_ascii_case("json"),
                "jobid" => call.job = Some(value.into_owned()),
                "name" => call.setting = Some(value.into_owned()),
                "value" => call.value = Some(value.into_owned()),
                _ => {}
            }
        }
        call
    }
}

fn answer(state: &Arc<State>, request: &Request) -> Reply {
    if request.path != API_PATH {
        return Reply::text(404, "Not Found");
    }
    let mut query = request.query.clone();
    match request.method.as_str() {
        "GET" => {}
        "POST" => {
            let Ok(form) = std::str::from_utf8(&request.body) else {
                return Reply::text(400, "the form is no text");
            };
            if !query.is_empty() && !form.is_empty() {
                query.push('&');
            }
            // A form that was read from a file may end in a line break.
            query.push_str(form.trim_end());
        }
        _ => return Reply::text(405, "only GET and POST are taken"),
    }
    let call = Call::of(&query);
    let trail = state.trail();
    let trail = trail.under(request.cause.or(trail.cause()));
    let trail = trail.begin(ApiCalled { command: known(&call.command).to_owned() });
    let outcome = match call.command.as_str() {
        UPLOAD => upload(state, &query, &trail),
        QUERY => query_job(state, call.job.as_deref()),
        CONFIGURE => configure(state, &call),
        "" => Err((ErrorCode::UnsupportedAction, "Invalid request, no command sent".to_owned())),
        other => Err((ErrorCode::UnsupportedAction, format!("Unknown API command: {other}"))),
    };
    let response = match known(&call.command) {
        "" => "errorresponse".to_owned(),
        command => format!("{}response", command.to_lowercase()),
    };
    match outcome {
        Ok(content) => reply(200, &response, content, call.wants_json, None),
        Err((code, text)) => {
            let content = json!({
                "uuidList": [],
                "errorcode": code as u16,
                "cserrorcode": NO_NUMBER,
                "errortext": text,
            });
            reply(code as u16, &response, content, call.wants_json, Some(text))
        }
    }
}

/// The command, if it is one of ours: what else was sent is not repeated in events.
fn known(command: &str) -> &str {
    if [UPLOAD, QUERY, CONFIGURE].contains(&command) { command } else { "" }
}

type Outcome = Result<Value, (ErrorCode, String)>;

/// Begins the job.
fn upload(state: &Arc<State>, query: &str, trail: &Trail) -> Outcome {
    let upload = Upload::from_query(query).map_err(|error| {
        let text = match &error {
            UploadError::Missing { parameter } => format!(
                "Unable to execute API command {} due to missing parameter {parameter}",
                UPLOAD.to_lowercase()
            ),
            other => other.to_string(),
        };
        state.note_refusal("", error.reason(), &text, trail);
        (ErrorCode::Parameter, text)
    })?;
    let busy = || {
        let text = format!("{JOBS_MAX} jobs are at work; wait until one has ended");
        (ErrorCode::Internal, text)
    };
    let id = state.jobs.begin(state).ok_or_else(busy)?;
    let work = {
        let (state, trail) = (Arc::clone(state), trail.clone());
        async move {
            let outcome = state.upload(&upload, &trail).await;
            outcome.map(drop).map_err(|error| error.to_string())
        }
    };
    state.jobs.work(id.clone(), state, trail.clone(), work);
    Ok(json!({ "jobid": id }))
}

fn query_job(state: &State, id: Option<&str>) -> Outcome {
    let missing = || {
        format!(
            "Unable to execute API command {} due to missing parameter jobid",
            QUERY.to_lowercase()
        )
    };
    let id = id.ok_or_else(|| (ErrorCode::Parameter, missing()))?;
    let jobs = state.jobs.lock();
    let job = jobs
        .get(id)
        .ok_or_else(|| (ErrorCode::Parameter, format!("Unable to find a job by id {id}")))?;
    let mut content = json!({
        "cmd": "org.apache.cloudstack.api.command.admin.resource.UploadCustomCertificateCmd",
        "jobstatus": 0,
        "jobprocstatus": 0,
        "jobresultcode": 0,
        "created": date(job.created),
        "jobid": id,
    });
    match &job.outcome {
        None => {}
        Some(Ok(())) => {
            content["jobstatus"] = 1.into();
            content["jobresulttype"] = "object".into();
            content["jobresult"] = json!({ "customcertificate": { "message": UPLOADED } });
        }
        Some(Err(text)) => {
            let code = ErrorCode::Internal as u16;
            content["jobstatus"] = 2.into();
            content["jobresultcode"] = code.into();
            content["jobresulttype"] = "object".into();
            content["jobresult"] = json!({ "errorcode": code, "errortext": text });
        }
    }
    if let Some(completed) = job.completed {
        content["completed"] = date(completed).into();
    }
    Ok(content)
}

fn configure(state: &State, call: &Call) -> Outcome {
    let (Some(name), Some(value)) = (&call.setting, &call.value) else {
        let missing = if call.setting.is_none() { "name" } else { "value" };
        return Err((
            ErrorCode::Parameter,
            format!(
                "Unable to execute API command {} due to missing parameter {missing}",
                CONFIGURE.to_lowercase()
            ),
        ));
    };
    state.configure(name, value).map_err(|error| {
        let code = match error {
            CloudError::NoSetting { .. } | CloudError::BadSetting { .. } => ErrorCode::Parameter,
            _ => ErrorCode::Internal,
        };
        (code, error.to_string())
    })?;
    Ok(json!({ "configuration": { "category": "Advanced", "name": name, "value": value } }))
}

/// As CloudStack writes it: `2021-10-02T07:43:59+0000`.
fn date(at: Timestamp) -> String {
    let text = Timestamp::from_unix(at.unix()).to_string();
    format!("{}+0000", text.trim_end_matches('Z'))
}

fn reply(
    status: u16,
    name: &str,
    content: Value,
    wants_json: bool,
    description: Option<String>,
) -> Reply {
    let (content_type, body) = if wants_json {
        let whole = Map::from_iter([(name.to_owned(), content)]);
        ("application/json; charset=UTF-8", Value::Object(whole).to_string())
    } else {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><{name} cloud-stack-version=\"{VERSION}\">"
        );
        write_xml(&mut text, &content);
        text.push_str(&format!("</{name}>"));
        ("text/xml; charset=UTF-8", text)
    };
    // A header is one line.
    let description = description.map(|text| text.replace(['\r', '\n'], " "));
    Reply { status, content_type, body: body.into_bytes(), description }
}

fn write_xml(text: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                // A list of nothing is not written.
                if !value.is_array() {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "<{name}>");
                    write_xml(text, value);
                    let _ = write!(text, "</{name}>");
                }
            }
        }
        Value::String(content) => {
            for character in content.chars() {
                match character {
                    '&' => text.push_str("&amp;"),
                    '<' => text.push_str("&lt;"),
                    '>' => text.push_str("&gt;"),
                    '"' => text.push_str("&quot;"),
                    '\'' => text.push_str("&apos;"),
                    other => text.push(other),
                }
            }
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use ground::{Actor, Ledger, Seed, VirtualClock};

    use super::*;
    use crate::ordered::{Cloud, CloudOptions};

    #[tokio::test]
    async fn nobody_waits_for_a_job_that_broke_off() {
        let clock = VirtualClock::starting_at(Timestamp::from_unix(1_767_508_709)).clock();
        let ledger = Ledger::new(clock.clone());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let options = CloudOptions { seed: Seed::new(1), directory: path, clock, ledger };
        let trail = options.ledger.trail(Actor::Runner);
        let cloud = Cloud::start(options).await.unwrap();
        let state = cloud.state();
        let id = state.jobs.begin(state).unwrap();
        state.jobs.work(id.clone(), state, trail, std::future::pending());
        assert_eq!(query_job(state, Some(&id)).ok().unwrap()["jobstatus"], 0);
        state.jobs.stop().await;
        state.jobs.is_over(&id).await;
        let result = query_job(state, Some(&id)).ok().unwrap();
        assert_eq!(result["jobresult"]["errortext"], "the job was broken off");

        // Nobody loses sight of a job that is at work.
        let at_work: Vec<_> = (1..=JOBS_MAX).map(|_| state.jobs.begin(state).unwrap()).collect();
        assert!(query_job(state, Some(&id)).is_err(), "the oldest that has ended is forgotten");
        assert_eq!(state.jobs.begin(state), None);
        assert!(at_work.iter().all(|id| query_job(state, Some(id)).is_ok()));
    }
}
