//! What is there after the step: database, files, certificates, messages, snapshots.

use scenario::{
    CertificateCount, CertificateSource, CertificateStore, DatabaseField, Expectations, FieldState,
    FileExpectation, FileState, MessageExpectation, MessageObject, Snapshot, Spanned,
    TelemetryExpectation,
};
use serde_json::Value;
use sim_host::{CertificateType, Entry, HostError, MessageClass, Telemetry};

use super::{Finding, StepView};
use crate::{
    snapshot::{Mismatch, Snapshots},
    steps::{self, StepError},
    world::WorldError,
};

pub(super) fn judge(view: &StepView<'_>, expect: &Expectations) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(expect.database.iter().filter_map(|field| judge_field(view, field)));
    findings.extend(expect.files.iter().filter_map(|file| judge_file(view, file)));
    findings.extend(expect.certificates.iter().filter_map(|count| judge_count(view, count)));
    findings.extend(expect.messages.iter().filter_map(|wanted| judge_message(view, wanted)));
    findings.extend(expect.telemetry.iter().filter_map(|wanted| judge_telemetry(view, wanted)));
    findings
}

fn judge_field(view: &StepView<'_>, wanted: &Spanned<DatabaseField>) -> Option<Finding> {
    let found = match host_field(view, &wanted.host, &wanted.field) {
        Ok(found) => found,
        Err(what) => return Some(Finding::new(&wanted.field.span, what)),
    };
    let name = format!("{} of {}", *wanted.field, *wanted.host);
    let what = match (&wanted.state, found) {
        (FieldState::Absent(_), None) => return None,
        (FieldState::Absent(_), Some(value)) => {
            format!("expected no {name}, found `{value}`")
        }
        (FieldState::Is(pattern), None) => format!("expected {name} to be `{pattern}`, found none"),
        (FieldState::Is(pattern), Some(value)) => {
            if pattern.matches(&value, |host| view.reference_of(host)) {
                return None;
            }
            format!("expected {name} to be `{pattern}`, found `{value}`")
        }
    };
    Some(Finding::new(&wanted.span, what))
}

/// The field of the host's record as text; a dot leads into a map, whose keys may be absent.
fn host_field(view: &StepView<'_>, host: &str, field: &str) -> Result<Option<String>, String> {
    let record = view.world.record_of(host).map_err(|error| error.to_string())?;
    let record = serde_json::to_value(record).map_err(|error| error.to_string())?;
    let (name, key) = match field.split_once('.') {
        Some((name, key)) => (name, Some(key)),
        None => (field, None),
    };
    let Some(value) = record.get(name) else {
        let known: Vec<&str> =
            record.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        return Err(format!("hosts have no field `{name}`; they have {}", known.join(", ")));
    };
    let value = match (key, value) {
        (None, value) => Some(value),
        (Some(key), Value::Object(map)) => map.get(key),
        (Some(_), _) => return Err(format!("the field `{name}` is no map")),
    };
    Ok(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
}

fn judge_file(view: &StepView<'_>, wanted: &Spanned<FileExpectation>) -> Option<Finding> {
    let name = format!("{}:{}", *wanted.host, *wanted.path);
    let (entry, text) = match read(view, &wanted.host, &wanted.path) {
        Ok(found) => found,
        Err(error) => return Some(Finding::new(&wanted.span, error.to_string())),
    };
    let exists = entry != Entry::Missing;
    let what = match &wanted.state {
        FileState::Absent(_) if exists => format!("expected no file {name}, found one"),
        FileState::Absent(_) => return None,
        _ if !exists => format!("expected a file {name}, found none"),
        FileState::Exists(_) => return None,
        FileState::Contains(part) if text.contains(part) => return None,
        FileState::Contains(part) => format!("expected `{part}` in {name}, found:\n{text}"),
        FileState::Lacks(part) if !text.contains(part) => return None,
        FileState::Lacks(part) => format!("expected no `{part}` in {name}, found:\n{text}"),
        FileState::Equals(whole) if text == *whole => return None,
        FileState::Equals(whole) => {
            let diff = Some(crate::snapshot::diff(whole, &text, "expected", "found"));
            let what = format!("{name} is not what was expected");
            return Some(Finding { diff, ..Finding::new(&wanted.span, what) });
        }
        FileState::Certs(sources) => match certificates_are(view, sources, &text) {
            Ok(true) => return None,
            Ok(false) => format!("{name} holds other certificates than expected:\n{text}"),
            Err(error) => error.to_string(),
        },
        FileState::Mode(mode) => {
            let host = view.world.host(&wanted.host).ok()?;
            match host.root().mode(&wanted.path).map(|bits| format!("{bits:04o}")) {
                Ok(found) if found == *mode => return None,
                Ok(found) => format!("expected {name} to have the mode {mode}, found {found}"),
                Err(error) => error.to_string(),
            }
        }
    };
    Some(Finding::new(&wanted.span, what))
}

/// Whether a text holds exactly these certificates.
pub(super) fn certificates_are(
    view: &StepView<'_>,
    sources: &[CertificateSource],
    text: &str,
) -> Result<bool, WorldError> {
    let mut wanted = Vec::new();
    for source in sources {
        wanted.extend(blocks(&view.world.certificate(source)?));
    }
    let mut found = blocks(text);
    wanted.sort();
    found.sort();
    Ok(wanted == found)
}

/// What stands between the markers of certificates, without white space.
fn blocks(text: &str) -> Vec<String> {
    let begun = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let ended = begun.filter_map(|rest| rest.split("-----END CERTIFICATE-----").next());
    ended.map(|data| data.split_whitespace().collect()).collect()
}

fn judge_count(view: &StepView<'_>, wanted: &Spanned<CertificateCount>) -> Option<Finding> {
    let (kind, trusted) = match wanted.store {
        CertificateStore::Ca => (CertificateType::Ca, true),
        CertificateStore::Pinned => (CertificateType::Pinned, true),
        CertificateStore::Legacy => (CertificateType::Ca, false),
    };
    let purpose = wanted.purpose.map(|purpose| purpose.as_str());
    let found = match &wanted.host {
        None => view
            .world
            .pool()
            .ok()?
            .certificates()
            .iter()
            .filter(|certificate| certificate.is_trusted() == trusted && certificate.kind == kind)
            .filter(|certificate| match purpose {
                Some(purpose) => certificate.purpose.iter().any(|p| p.name() == purpose),
                None => certificate.purpose.is_empty(),
            })
            .count(),
        Some(host) => {
            let folder = match wanted.store {
                CertificateStore::Legacy => "/etc/stunnel/certs".to_owned(),
                store => format!("/etc/trusted-certs/{store}-{}", purpose.unwrap_or("general")),
            };
            let listed = view.world.host(host).ok()?.root().list(&folder).unwrap_or_default();
            listed.iter().filter(|name| name.ends_with(".pem")).count()
        }
    };
    let count = usize::try_from(wanted.count).unwrap_or(usize::MAX);
    let what = || format!("expected {count} certificates, found {found}");
    (found != count).then(|| Finding::new(&wanted.span, what()))
}

fn judge_telemetry(view: &StepView<'_>, wanted: &Spanned<TelemetryExpectation>) -> Option<Finding> {
    let records = view.world.pool().ok()?.database_view();
    let Telemetry { ad_enabled, ldaps_enabled, .. } = Telemetry::of(&records);
    let wide = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    if (wide(wanted.ad_enabled), wide(wanted.ldaps_enabled)) == (ad_enabled, ldaps_enabled) {
        return None;
    }
    let what = format!(
        "expected {} hosts with AD and {} with LDAPS, telemetry finds {ad_enabled} and \
         {ldaps_enabled}",
        wanted.ad_enabled, wanted.ldaps_enabled
    );
    Some(Finding::new(&wanted.span, what))
}

fn judge_message(view: &StepView<'_>, wanted: &Spanned<MessageExpectation>) -> Option<Finding> {
    let object = match wanted.about.as_ref().map(|about| object(view, about)).transpose() {
        Ok(object) => object,
        Err(error) => return Some(Finding::new(&wanted.span, error.to_string())),
    };
    let found = view
        .world
        .pool()
        .ok()?
        .messages()
        .iter()
        .filter(|message| message.name == wanted.name.as_str())
        .filter(|message| {
            let is_it = |(class, uuid): &(_, _)| {
                *class == message.class && *uuid == message.obj_uuid.to_string()
            };
            object.as_ref().is_none_or(is_it)
        })
        .filter(|message| wanted.priority.is_none_or(|p| i64::from(p) == message.priority))
        .filter(|message| {
            wanted.body_contains.as_ref().is_none_or(|part| message.body.contains(part.as_str()))
        })
        .count();
    let holds = match wanted.count {
        Some(count) => found == usize::try_from(count).unwrap_or(usize::MAX),
        None => found > 0,
    };
    let what = || match wanted.count {
        Some(count) => format!("expected {count} messages {}, found {found}", *wanted.name),
        None => format!("expected a message {}, found none", *wanted.name),
    };
    (!holds).then(|| Finding::new(&wanted.span, what()))
}

/// Class and uuid of an object; what does not exist has none, and no message is about it.
fn object(view: &StepView<'_>, about: &MessageObject) -> Result<(MessageClass, String), StepError> {
    Ok(match about {
        MessageObject::Certificate(certificate) => {
            let reference = steps::installed(view.world, certificate)?;
            let rows = view.world.pool()?.database_view().certificates;
            let row = rows.into_iter().find(|row| row.reference == reference);
            (MessageClass::Certificate, row.map(|row| row.uuid.to_string()).unwrap_or_default())
        }
        MessageObject::Host(host) => {
            (MessageClass::Host, view.world.record_of(host)?.uuid.to_string())
        }
    })
}

pub(super) fn judge_snapshots(
    view: &StepView<'_>,
    expect: &Expectations,
    snapshots: &mut Snapshots,
) -> Vec<Finding> {
    let judged = expect.snapshots.iter();
    judged.filter_map(|wanted| judge_snapshot(view, wanted, snapshots)).collect()
}

fn judge_snapshot(
    view: &StepView<'_>,
    wanted: &Spanned<Snapshot>,
    snapshots: &mut Snapshots,
) -> Option<Finding> {
    let name = format!("{}:{}", *wanted.host, *wanted.path);
    let text = match read(view, &wanted.host, &wanted.path) {
        Ok((Entry::Missing, _)) => {
            return Some(Finding::new(&wanted.span, format!("{name} does not exist")));
        }
        Ok((_, text)) => text,
        Err(error) => return Some(Finding::new(&wanted.span, error.to_string())),
    };
    let title = view.step.title();
    let mismatch = snapshots.compare(&title, &wanted.host, &wanted.path, &text).err()?;
    let (what, diff) = match mismatch {
        Mismatch::Changed { path, diff } => {
            (format!("{name} differs from its snapshot {}", path.display()), Some(diff))
        }
        Mismatch::New { path, diff } => {
            (format!("{name} has no accepted snapshot {}", path.display()), Some(diff))
        }
        Mismatch::Unusable { path, error } => {
            (format!("the snapshot {} cannot be used: {error}", path.display()), None)
        }
    };
    Some(Finding { diff, unaccepted: true, ..Finding::new(&wanted.span, what) })
}

fn read(view: &StepView<'_>, host: &str, path: &str) -> Result<(Entry, String), HostError> {
    let Ok(host) = view.world.host(host) else { return Ok((Entry::Missing, String::new())) };
    let entry = host.root().entry(path)?;
    let text = match entry {
        Entry::File => host.root().read_text_if_present(path)?.unwrap_or_default(),
        Entry::Directory | Entry::Missing => String::new(),
    };
    Ok((entry, text))
}
