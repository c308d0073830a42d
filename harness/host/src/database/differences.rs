//! What a change of the database was, record by record, for the ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use ground::Trail;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Certificate, HostRecord, Message, PoolRecord, Records, Reference, Subject,
    facts::{DatabaseWritten, MessageCreated, MessageDestroyed, RecordChange},
};

/// One fact for each record that came or went and for each field that changed.
pub(super) fn record(old: &Records, new: &Records, trail: &Trail) {
    record_class(slice::from_ref(&old.pool), slice::from_ref(&new.pool), trail);
    record_class(&old.hosts, &new.hosts, trail);
    record_class(&old.certificates, &new.certificates, trail);
    record_class(&old.messages, &new.messages, trail);
    record_class(&old.subjects, &new.subjects, trail);
    for message in missing_from(&new.messages, &old.messages) {
        trail.record(MessageDestroyed {
            name: message.name.clone(),
            priority: message.priority,
            class: message.class.name(),
        });
    }
    for message in missing_from(&old.messages, &new.messages) {
        trail.record(MessageCreated {
            name: message.name.clone(),
            priority: message.priority,
            class: message.class.name(),
            body: message.body.clone(),
        });
    }
}

/// Those of `rows` that `others` does not have.
fn missing_from<'a>(others: &[Message], rows: &'a [Message]) -> impl Iterator<Item = &'a Message> {
    let others: BTreeSet<_> = others.iter().map(|message| message.reference.clone()).collect();
    rows.iter().filter(move |message| !others.contains(&message.reference))
}

/// A record of a stored class.
trait Row: Serialize + PartialEq {
    const CLASS: &'static str;

    fn reference(&self) -> &Reference;
}

macro_rules! rows {
    ($($type:ty: $class:literal,)+) => {
        $(impl Row for $type {
            const CLASS: &'static str = $class;

            fn reference(&self) -> &Reference {
                &self.reference
            }
        })+
    };
}

rows! {
    Certificate: "Certificate",
    HostRecord: "host",
    Message: "message",
    PoolRecord: "pool",
    Subject: "subject",
}

/// What is the same on both sides, nearly all, is compared and nothing more.
fn record_class<T: Row>(old: &[T], new: &[T], trail: &Trail) {
    let fact = |change, row: &T, field: Option<String>, value| {
        trail.record(DatabaseWritten {
            change,
            class: T::CLASS,
            object: row.reference().to_string(),
            field,
            value,
        });
    };
    let by_reference = |rows: &'_ [T]| -> BTreeMap<_, usize> {
        rows.iter().enumerate().map(|(index, row)| (row.reference().clone(), index)).collect()
    };
    let (former, current) = (by_reference(old), by_reference(new));
    for row in old.iter().filter(|row| !current.contains_key(row.reference())) {
        fact(RecordChange::Destroyed, row, None, Value::Null);
    }
    for row in new {
        match former.get(row.reference()).map(|&index| &old[index]) {
            None => fact(RecordChange::Created, row, None, Value::Object(fields(row))),
            Some(before) if before == row => {}
            Some(before) => {
                let before = fields(before);
                for (field, value) in fields(row) {
                    if before.get(&field) != Some(&value) {
                        fact(RecordChange::Changed, row, Some(field), value);
                    }
                }
            }
        }
    }
}

fn fields(row: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(row) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
