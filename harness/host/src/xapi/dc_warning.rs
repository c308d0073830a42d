//! The message `AD_DC_LDAP_CHECK` of design-v1 (xapi-flows.md §§11.6, 20): a DC did not answer the
//! query that revalidation makes of it. The released toolstack has no such message.
//!
//! Any successful LDAP(S) query of a host takes its messages back, whatever DC answered. That does
//! not bring the next one forward: it is due when the interval has gone by since the last was sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ground::Timestamp;
use uuid::Uuid;

use crate::{ApiError, Message, MessageClass, Profile, xapi::on_host::OnHost};

const NAME: &str = "AD_DC_LDAP_CHECK";
/// Priority: warning.
const WARNING: u8 = 3;

/// An LDAP(S) query that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LdapFailure {
    /// Name of the DC; where none had been found, of the domain, which stands for all of them.
    pub(crate) dc: String,
    /// DNS name of its domain.
    pub(crate) domain: String,
}

/// When the last message was sent by this process, which is all that it remembers.
#[derive(Debug, Default)]
pub(crate) struct LastWarning(Mutex<Option<Timestamp>>);

impl LastWarning {
    fn lock(&self) -> MutexGuard<'_, Option<Timestamp>> {
        // A value is consistent whatever happened to who held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnHost<'_> {
    /// A query of session revalidation has failed: in design-v1 the message is sent, if it is the
    /// first since xapi started, or the last is older than `ad-warning-message-interval`.
    pub(super) fn warn_of_dc(&self, failure: &LdapFailure) -> Result<(), ApiError> {
        if self.profile() != Profile::DesignV1 {
            return Ok(());
        }
        let interval = i64::try_from(self.process.conf.ad_warning_message_interval.as_micros());
        let now = self.host.clock().now();
        {
            let mut last = self.process.last_dc_warning.lock();
            let is_early = last.is_some_and(|last| {
                let since = now.unix_micros().saturating_sub(last.unix_micros());
                since <= interval.unwrap_or(i64::MAX)
            });
            if is_early {
                return Ok(());
            }
            *last = Some(now);
        }
        let host = self.record()?;
        let (pool, pool_uuid) = self
            .pool
            .database()
            .read(|records| (records.pool.name_label.clone(), records.pool.uuid));
        let host_name = label_or_uuid(&host.name_label, host.uuid);
        let body = body(failure, &host_name, &label_or_uuid(&pool, pool_uuid));
        self.create_host_message(NAME, WARNING, body)
    }

    /// An LDAP(S) query of this host has succeeded: in design-v1 its messages are taken back.
    pub(super) fn note_ldap_success(&self) {
        if self.profile() != Profile::DesignV1 {
            return;
        }
        let Ok(host) = self.record() else { return };
        let is_one = |message: &Message| {
            message.name == NAME
                && message.class == MessageClass::Host
                && message.obj_uuid == host.uuid
        };
        if self.pool.database().read(|records| records.messages.iter().any(is_one)) {
            // One that cannot be taken back stays until the next success.
            let _ = self.pool.database().change(&self.trail, |draft| {
                draft.records.messages.retain(|message| !is_one(message));
            });
        }
    }
}

fn body(LdapFailure { dc, domain }: &LdapFailure, host: &str, pool: &str) -> String {
    format!("LDAP(S) query check to {dc} of {domain} failed from {host} of {pool}")
}

/// People may have taken the name away.
fn label_or_uuid(label: &str, uuid: Uuid) -> String {
    if label.is_empty() { uuid.to_string() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_four_names() {
        let failure =
            LdapFailure { dc: "dc1.corp.example".to_owned(), domain: "corp.example".to_owned() };
        let uuid = Uuid::from_u128(7);
        let text = body(&failure, &label_or_uuid("host1", uuid), &label_or_uuid("", uuid));
        assert_eq!(
            text,
            "LDAP(S) query check to dc1.corp.example of corp.example failed from host1 of \
             00000000-0000-0000-0000-000000000007"
        );
    }
}
