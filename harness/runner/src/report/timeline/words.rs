//! The sentence of each fact.
//!
//! To have a new fact told, add an arm to [`told`]: what a person wants to know of it, in the
//! present tense, on one line. Who it happened to is said by whoever asks.

mod cloud;
mod directory;
mod pinned;

use ground::{Actor, Event};
use serde_json::{Map, Value};

use super::{
    names::{self, Names, value_text},
    tree::Tree,
};

/// How a fact is told.
#[derive(Debug)]
pub(super) enum Told {
    /// With the others of its kind beside it: the path of a file.
    Files(String),
    /// By this sentence.
    Line(String),
    /// Not at all; what it led to is.
    Nothing,
}

/// Fields of a fact.
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&self, name: &str) -> String {
        self.0.get(name).filter(|value| !value.is_null()).map(value_text).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// ` BEFORE the field`, if it has a value.
    fn with(&self, before: &str, name: &str) -> String {
        let text = self.text(name);
        if text.is_empty() { text } else { format!("{before}{text}") }
    }
}

/// How `event` is told.
pub(super) fn told(event: &Event, tree: &Tree<'_>, names: &Names) -> Told {
    let fields = Fields(event.fields());
    let text = |name: &str| fields.text(name);
    let kind = event.kind();
    let model = cloud::told(kind, &fields)
        .or_else(|| directory::told(kind, &fields))
        .or_else(|| pinned::told(kind, &fields));
    if let Some(sentence) = model {
        return Told::Line(sentence);
    }
    Told::Line(match event.kind() {
        // The runner.
        "clock.advanced" => {
            format!("time moves on by {}", duration(fields.number("seconds")))
        }
        "domain.ca-renewed" => {
            let key = if fields.is("keep_key") { "the same key" } else { "a new key" };
            format!("the CA of {} has a new certificate for {key}", text("domain"))
        }
        "domain.changed" => format!("accounts of {} are changed", text("domain")),
        "file.changed" => {
            format!("{}:{} is {} by hand", text("host"), text("path"), text("change"))
        }
        "host.fault-cleared" => format!("no longer {}", text("fault")),
        "host.fault-set" => format!("has {} from now on", text("fault")),
        "model.refused" => format!("refused, {}: {}", text("reason"), text("words")),
        "host.liveness" => format!("{} is {} from now on", text("host"), text("state")),
        "program.abandoned" => {
            format!("`{}` still runs after {} s, and is left", text("command"), text("seconds"))
        }
        "program.ended" => {
            let said = fields.0.get("stdout").and_then(Value::as_str).unwrap_or_default();
            let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
            let last = last.map(|line| format!(": {line}"));
            format!("the program ends with {}{}", text("exit"), last.unwrap_or_default())
        }
        "scenario.step" => format!("step {}: {}", text("number"), text("title")),

        // xapi.
        "account.defaulted" => format!(
            "asking {} of {} about {} has FAILED, and is taken for good news: {}",
            text("dc"),
            text("domain"),
            text("user"),
            text("cause")
        ),
        "account.asked" => format!("asks {} for the account {}", text("dc"), text("filter")),
        "certificates.check-failed" => {
            format!("the look at the ends of certificates breaks off: {}", text("error"))
        }
        "certificates.missing" => {
            format!("lacks in {}: {}", text("directory"), text("names"))
        }
        "database.written" => match database(&fields, names) {
            Some(line) => line,
            None => return Told::Nothing,
        },
        "extauth.hook" => format!("the hook runs: {}", text("reason")),
        "host.moved" => {
            format!("{} is in {} now, no longer in {}", text("host"), text("to"), text("from"))
        }
        "host.restarted" => format!("xapi of {} has restarted", text("host")),
        "host.stranded" => format!(
            "{} is STRANDED: {} of {} does not know it, {}. To mend it: {}",
            text("host"),
            text("coordinator"),
            text("pool"),
            text("error"),
            text("remedy")
        ),
        "join.refused" => format!("pre-check {} fails: {}", text("check"), text("error")),
        "join.step" => format!("step {} of the join: {}", text("step"), text("what")),
        "lock.taken" => format!("{} has the lock {}", text("task"), text("lock")),
        "lock.waiting" => format!(
            "{} waits for the lock {}, held by {}",
            text("task"),
            text("lock"),
            text("held_by")
        ),
        "message.created" => format!(
            "RAISES {} (priority {}{}): {}",
            text("name"),
            text("priority"),
            fields.with(", class ", "class"),
            text("body")
        ),
        "message.destroyed" => format!("CLEARS {} (priority {})", text("name"), text("priority")),
        "pool.created" => format!(
            "{} ({}): {}{}",
            text("pool"),
            text("profile"),
            text("hosts"),
            fields.with("; switched quirks: ", "switched_quirks")
        ),
        "pool.operation-began" => match fields.number("waited_seconds") {
            0 => return Told::Nothing,
            waited => format!("{} begins after {waited} s of waiting", text("operation")),
        },
        "pool.operation-ended" => return Told::Nothing,
        "probe.ping" => {
            let dc = names.dc(&text("address"));
            match text("outcome").as_str() {
                "success" => format!("{dc} passes the probe"),
                tag => format!("{dc} FAILS the probe: {tag}"),
            }
        }
        "program.held" => format!("`{}` is held", text("program")),
        "session.closed" => format!("the session of {} ends: {}", text("user"), text("reason")),
        "session.opened" => format!("{} logs in", text("user")),
        "session.kept" => format!("the session of {} is kept: {}", text("user"), text("reason")),
        "session.validated" => {
            let whose = if fields.is("subject_changed") { " through another subject" } else { "" };
            format!("the session of {} is validated{whose}", text("user"))
        }
        "sessions.revalidated" => match fields.number("sessions") {
            0 => return Told::Nothing,
            count => format!("looks at {count} sessions"),
        },
        "smb-conf.written" => match (fields.is("joined"), fields.is("ldaps")) {
            (false, _) => "writes smb.conf: no domain".to_owned(),
            (true, false) => "writes smb.conf: LDAP".to_owned(),
            (true, true) => format!("writes smb.conf: LDAPS, CAs of {}", text("trust")),
        },
        "subject.not-refreshed" => {
            format!("the subject {} stays as it is: {}", text("sid"), text("cause"))
        }
        "subjects.refreshed" => match fields.number("subjects") {
            0 => return Told::Nothing,
            count => format!("asks AD about {count} subjects"),
        },
        "trust-store.changed" => return Told::Files(text("path")),
        "winbind.awaited" if fields.is("ready") => return Told::Nothing,
        "winbind.awaited" => "winbind is NOT ready".to_owned(),
        "xapi-conf.ignored" => {
            format!("xapi.conf: {} means nothing as {}", text("value"), text("item"))
        }
        "xapi.call" => call(event, &fields, tree),
        "xapi.duty" => text("duty").replace('-', " "),
        "xapi.result" => match tree.has_cause(event) {
            true => return Told::Nothing,
            false => format!("{} {}", text("call"), outcome(&fields)),
        },
        "xapi.turn" => text("task").replace('-', " "),

        // The Samba client, but for what `flows` tells.
        "join.done" => {
            format!("has joined {} as {} at {}", text("domain"), text("machine"), text("dc"))
        }
        "leave.done" => {
            let account = if fields.is("account_deleted") { "deleted" } else { "left behind" };
            format!("has left {}; the account {} is {account}", text("domain"), text("machine"))
        }
        "password.changed" => {
            format!("{} has a new password, taken by {}", text("account"), text("dc"))
        }
        "winbind.changed" if fields.is("running") => "winbind starts".to_owned(),
        "winbind.changed" => "winbind stops".to_owned(),

        // DCs.
        "dc.certificate-enrolled" => {
            format!("has enrolled for a certificate that ends {}", text("not_after"))
        }
        "dc.certificate-loaded" => match text("leaf").as_str() {
            "" => "has no certificate to show".to_owned(),
            leaf => format!("shows the certificate {} from now on", names::fingerprint(leaf)),
        },
        "fault.cleared" => {
            format!("no longer {}{}", text("fault"), fields.with(" towards ", "route"))
        }
        "fault.set" => {
            format!("has {} from now on{}", text("fault"), fields.with(" towards ", "route"))
        }
        "tls.client-certificate" => {
            let leaf = names::fingerprint(&text("leaf"));
            match (text("reason").as_str(), text("account").as_str()) {
                ("", "") => format!("is shown the certificate {leaf}, which stands for nobody"),
                ("", account) => format!("is shown the certificate {leaf} of {account}"),
                (reason, _) => {
                    format!("is shown the certificate {leaf}, which is not good: {reason}")
                }
            }
        }
        "kpasswd.request" => {
            format!("is asked for a new password of {}: result {}", text("target"), text("result"))
        }

        // Clients of the service.
        "client.answer" => return Told::Nothing,
        "client.call" => {
            let end = tree.effects(event).iter().find(|effect| effect.kind() == "client.answer");
            let end = end.map(|end| Fields(end.fields())).map(|end| match &*end.text("error") {
                "" => end.with("= ", "returned"),
                error => format!("→ {error}"),
            });
            let (method, at, params) = (text("method"), text("at"), text("params"));
            let call = format!("the client calls {method}({params}) on the {at}");
            format!("{call} {}", end.unwrap_or_default()).trim_end().to_owned()
        }
        "xenapi.garbage" => format!("answers what is no request with HTTP {}", text("status")),
        "xenapi.request" => {
            let end = tree.effects(event).iter().find(|effect| effect.kind() == "xenapi.response");
            let end = end.map(|end| Fields(end.fields())).map(|end| outcome(&end));
            let method = fields.with("", "method");
            let method = if method.is_empty() { "what does not exist" } else { &method };
            format!("a client calls {method} {}", end.unwrap_or_default()).trim_end().to_owned()
        }
        "xenapi.response" => return Told::Nothing,

        other => format!("{other} {}", names::plain(&fields.0)),
    })
}

/// Who `event` is about: the host whose turn it is, where another gives it the turn.
pub(super) fn speaker(event: &Event) -> Actor {
    let host = match event.kind() {
        "xapi.call" | "xapi.duty" | "xapi.turn" => Fields(event.fields()).text("host"),
        _ => String::new(),
    };
    if host.is_empty() { Actor::clone(&event.actor) } else { Actor::Host(host) }
}

/// Whether `event` is a run of a task that xapi repeats all the time.
pub(super) fn is_periodic(event: &Event) -> bool {
    event.kind() == "xapi.duty"
}

/// A call with its parameters and its end.
fn call(event: &Event, fields: &Fields, tree: &Tree<'_>) -> String {
    let empty = Map::new();
    let parameters = fields.0.get("parameters").and_then(Value::as_object).unwrap_or(&empty);
    let mut shown = Vec::new();
    for (name, value) in parameters {
        match value {
            // Whose turn it is is said before.
            _ if name == "host" && !fields.text("host").is_empty() => {}
            Value::Object(config) => {
                let told = config.iter().filter(|(_, value)| value.as_str() != Some("***"));
                shown.extend(told.map(|(name, value)| format!("{name}={}", value_text(value))));
            }
            value if value_text(value).is_empty() || value.is_null() => {}
            value => shown.push(format!("{name}={}", value_text(value))),
        }
    }
    let end = tree.effects(event).iter().find(|effect| effect.kind() == "xapi.result");
    let end = end.map(|end| Fields(end.fields()));
    let end = end.map_or_else(|| "→ not ended".to_owned(), |end| outcome(&end));
    format!("{}({}) {end}", fields.text("call"), shown.join(", "))
}

fn outcome(fields: &Fields) -> String {
    match fields.text("error").as_str() {
        "" => "→ done".to_owned(),
        code => format!("→ {code} [{}]", fields.text("params")),
    }
}

/// What a change of the database means; `None` for what other facts tell, or nobody asks for.
fn database(fields: &Fields, names: &Names) -> Option<String> {
    let (class, change) = (fields.text("class"), fields.text("change"));
    let object = fields.text("object");
    let name = names.object(&object).unwrap_or(&object).to_owned();
    let value = fields.0.get("value")?;
    match (class.as_str(), change.as_str()) {
        ("Certificate", "created") => {
            let text = |field: &str| value.get(field).map(value_text).unwrap_or_default();
            let purpose = match text("purpose").as_str() {
                "" => String::new(),
                purpose => format!(" for {purpose}"),
            };
            Some(format!("records the certificate {name}, {}{purpose}", text("type")))
        }
        ("Certificate", "destroyed") => Some(format!("forgets the certificate {name}")),
        ("host", "changed") => {
            let field = fields.text("field");
            let value = match value {
                Value::Object(map) => format!("{{{}}}", names::plain(map)),
                other => format!("`{}`", value_text(other)),
            };
            field.starts_with("external_auth").then(|| format!("{name}.{field} = {value}"))
        }
        ("subject", "created") => Some(format!("records the subject {name}")),
        ("subject", "destroyed") => Some(format!("forgets the subject {name}")),
        _ => None,
    }
}

/// The path of the file that `next` tells of, if it goes on where `first` began.
pub(super) fn file_after(first: &Event, next: &Event) -> Option<String> {
    let (one, other) = (first.fields(), next.fields());
    let same = first.kind() == next.kind()
        && first.actor == next.actor
        && first.at == next.at
        && one.get("change") == other.get("change");
    same.then(|| Fields(other).text("path"))
}

/// Files of a trust store that were written or removed.
pub(super) fn files(event: &Event, paths: &[String]) -> String {
    let verb = match Fields(event.fields()).text("change").as_str() {
        "removed" => "removes",
        _ => "writes",
    };
    format!("{verb} {}", paths.join(", "))
}

/// `8d`, `1h30m`, `45s`.
fn duration(seconds: i64) -> String {
    let parts = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut text = String::new();
    for (size, unit) in parts {
        if left >= size {
            text += &format!("{}{unit}", left / size);
            left %= size;
        }
    }
    if text.is_empty() { "no time".to_owned() } else { text }
}
