//! Alerts about certificates that end soon or have ended (xapi-flows.md §15).
//!
//! In the real host `cron` starts `alert-certificate-check` every day; on a member it ends at once,
//! on the coordinator it compares all records with the time of day there (xen-api,
//! `scripts/certificate-check`, `ocaml/alerts/certificate/certificate_check.ml` and
//! `ocaml/alerts/expiry_alert.ml`).
//!
//! The job only ever replaces a message by one about the same object. So what was said of a
//! certificate that was uninstalled since stays until somebody destroys it, and so does what was
//! said of a host whose certificate was renewed.

use ground::{Timestamp, Trail};
use uuid::Uuid;

use crate::{
    ApiError, Certificate, CertificateType, Message, MessageClass, Records, Reference,
    facts::CertificateCheckFailed, xapi::Pool,
};

impl Pool {
    /// The daily job, which runs on the coordinator: raises, replaces and repeats nothing
    /// (xapi-flows.md §15).
    pub fn check_certificate_expiry(&self, trail: &Trail) {
        let trail = self.coordinator_at_work(trail).trail;
        if let Err(error) = self.alert_about_certificates(&trail) {
            trail.record(CertificateCheckFailed { error: error.to_string() });
        }
    }

    /// Whether the job would find anything to do.
    pub(super) fn has_expiry_to_tell(&self) -> bool {
        self.replacements().map_or(true, |found| !found.is_empty())
    }

    fn alert_about_certificates(&self, trail: &Trail) -> Result<(), ApiError> {
        for Replacement { outdated, alert } in self.replacements()? {
            for message in outdated {
                self.destroy_message(&message, trail)?;
            }
            if let Some(Alert { name, priority, object: (class, uuid), body, .. }) = alert {
                self.create_message(&name, priority, class, uuid, &body, trail)?;
            }
        }
        Ok(())
    }

    /// What is to be done about each certificate, as messages are before the first is touched.
    fn replacements(&self) -> Result<Vec<Replacement>, ApiError> {
        let now = self.coordinator().clock().now();
        let (alerts, messages) =
            self.database().read(|records| (alerts(records, now), records.messages.clone()));
        let replacement = |alert: Alert| {
            let (current, outdated): (Vec<&Message>, Vec<&Message>) =
                messages.iter().filter(|message| alert.replaces(message)).partition(|message| {
                    message.name == alert.name
                        && message.priority == alert.priority
                        && message.body == alert.body
                });
            Replacement {
                outdated: outdated.iter().map(|message| message.reference.clone()).collect(),
                alert: current.is_empty().then_some(alert),
            }
        };
        let is_any = |found: &Replacement| !found.outdated.is_empty() || found.alert.is_some();
        Ok(alerts?.into_iter().map(replacement).filter(is_any).collect())
    }
}

/// Messages that make room, and the one that takes their place unless it is there already.
struct Replacement {
    outdated: Vec<Reference>,
    alert: Option<Alert>,
}

/// A message that ought to exist.
struct Alert {
    family: Family,
    name: String,
    priority: i64,
    object: (MessageClass, Uuid),
    body: String,
}

impl Alert {
    /// Whether `message` is of its family and about its object.
    fn replaces(&self, message: &Message) -> bool {
        message.obj_uuid == self.object.1
            && Threshold::ALL.iter().any(|threshold| self.family.name(threshold) == message.name)
    }
}

/// The alerts that the certificates of a pool call for, in the order of the records.
fn alerts(records: &Records, now: Timestamp) -> Result<Vec<Alert>, ApiError> {
    let of = |row: &Certificate| {
        let family = Family::of(row.kind);
        let object = family.object(row, records)?;
        let Some(threshold) = Threshold::crossed(row.not_after, now) else { return Ok(None) };
        let body = format!(
            "<body><message>{} {}</message><date>{}</date></body>",
            family.description,
            threshold.state,
            date(row.not_after)
        );
        let (name, priority) = (family.name(threshold), threshold.priority);
        Ok(Some(Alert { family, name, priority, object, body }))
    };
    // One object that cannot be told ends the job before any message is touched.
    records.certificates.iter().filter_map(|row| of(row).transpose()).collect()
}

/// Messages of which there is one for each object at a time.
#[derive(Clone, Copy)]
struct Family {
    prefix: &'static str,
    description: &'static str,
    is_of_a_host: bool,
}

impl Family {
    /// That of a kind of certificates. A legacy CA is a CA like a trusted one.
    fn of(kind: CertificateType) -> Self {
        let (prefix, description, is_of_a_host) = match kind {
            CertificateType::Ca => {
                ("POOL_CA_CERTIFICATE", "The pool-wide trusted root CA certificate", false)
            }
            CertificateType::Host => {
                ("HOST_SERVER_CERTIFICATE", "The TLS server certificate", true)
            }
            CertificateType::HostInternal => {
                ("HOST_INTERNAL_CERTIFICATE", "The internal TLS server certificate", true)
            }
            CertificateType::Pinned => {
                ("POOL_PINNED_CERTIFICATE", "The pool-wide trusted pinned leaf certificate", false)
            }
        };
        Self { prefix, description, is_of_a_host }
    }

    fn name(self, threshold: &Threshold) -> String {
        format!("{}_{}", self.prefix, threshold.suffix)
    }

    /// What a message of the family is about.
    fn object(
        self,
        row: &Certificate,
        records: &Records,
    ) -> Result<(MessageClass, Uuid), ApiError> {
        if !self.is_of_a_host {
            return Ok((MessageClass::Certificate, row.uuid));
        }
        let host = records.host(&row.host);
        let host = host.ok_or_else(|| ApiError::handle_invalid("host", &row.host))?;
        Ok((MessageClass::Host, host.uuid))
    }
}

/// So many days before its end a certificate is worth a message.
struct Threshold {
    days: i64,
    suffix: &'static str,
    priority: i64,
    /// What the body says of the certificate.
    state: &'static str,
}

impl Threshold {
    /// The smallest first.
    const ALL: [Self; 4] = [
        Self { days: 0, suffix: "EXPIRED", priority: 1, state: "has expired." },
        Self { days: 7, suffix: "EXPIRING_07", priority: 1, state: "is expiring soon." },
        Self { days: 14, suffix: "EXPIRING_14", priority: 2, state: "is expiring soon." },
        Self { days: 30, suffix: "EXPIRING_30", priority: 3, state: "is expiring soon." },
    ];

    /// The smallest that is more than what remains.
    fn crossed(not_after: Timestamp, now: Timestamp) -> Option<&'static Self> {
        Self::ALL.iter().find(|threshold| not_after < now.plus_days(threshold.days))
    }
}

/// As xapi writes a time into a body: `20260821T02:00:23Z`.
fn date(time: Timestamp) -> String {
    time.to_string().split('.').next().unwrap_or_default().trim_end_matches('Z').replace('-', "")
        + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_days_are_strictly_less() {
        let end: Timestamp = "2026-08-21T02:00:23Z".parse().unwrap();
        let at = |days: i64, seconds: i64| {
            let now = end.plus_days(-days).plus_seconds(seconds);
            Threshold::crossed(end, now).map(|threshold| threshold.suffix)
        };
        let cases = [
            (31, 0, None),
            (30, 0, None),
            (30, 1, Some("EXPIRING_30")),
            (14, 0, Some("EXPIRING_30")),
            (14, 1, Some("EXPIRING_14")),
            (7, 0, Some("EXPIRING_14")),
            (7, 1, Some("EXPIRING_07")),
            (0, 0, Some("EXPIRING_07")),
            (0, 1, Some("EXPIRED")),
            (-4_000, 0, Some("EXPIRED")),
        ];
        for (days, seconds, expected) in cases {
            assert_eq!(at(days, seconds), expected, "{days} days and {seconds} s");
        }
    }

    #[test]
    fn dates_are_written_in_whole_seconds() {
        for (time, text) in [
            ("2026-08-21T02:00:23Z", "20260821T02:00:23Z"),
            ("2026-08-21T02:00:23.25Z", "20260821T02:00:23Z"),
        ] {
            assert_eq!(date(time.parse().unwrap()), text);
        }
    }
}
