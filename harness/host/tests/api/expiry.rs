//! Alerts about certificates that end, over years of daily checks (xapi-flows.md §15).

use std::time::Duration;

use fake_dc_pki::CertificatePlan;
use ground::{Seed, Timestamp};
use sim_host::{Message, MessageClass, Records};

use crate::support::{Rig, install};

const DAY: Duration = Duration::from_secs(86_400);

/// A certificate of this name that ends so many days after the start of the rig's clock.
fn ends_in(name: &str, days: i64) -> String {
    let now = "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap();
    let mut plan = CertificatePlan::server(name);
    plan.named(name).also_named([name]).valid(now.plus_days(-1), now.plus_days(days));
    plan.issue_alone(&Seed::new(1)).unwrap().leaf_pem()
}

/// A day goes by, and the daily job runs.
fn next_day(rig: &Rig) {
    rig.time.advance(DAY);
    rig.pool.check_certificate_expiry(&rig.trail);
}

fn shown(message: &Message) -> (&str, i64, MessageClass) {
    (&message.name, message.priority, message.class)
}

/// One message at a time about each object, of the smallest threshold, in the words of the family.
#[tokio::test]
async fn every_family_at_every_threshold() {
    let rig = Rig::landed(2);
    rig.install(&ends_in("authority", 40), &["ldaps"]).await.unwrap();
    rig.call(install(false, &ends_in("server", 40), &["licensing"])).await.unwrap();
    let about = |messages: &[Message], records: &Records, row: usize| {
        let uuid = records.certificates[row].uuid;
        messages.iter().filter(|message| message.obj_uuid == uuid).cloned().collect::<Vec<_>>()
    };
    let records = rig.pool.database_view();
    let [authority, pinned] = [4, 5];
    for (day, expected) in [
        (10, None),
        (11, Some(("EXPIRING_30", 3))),
        (26, Some(("EXPIRING_30", 3))),
        (27, Some(("EXPIRING_14", 2))),
        (33, Some(("EXPIRING_14", 2))),
        (34, Some(("EXPIRING_07", 1))),
        (40, Some(("EXPIRING_07", 1))),
        (41, Some(("EXPIRED", 1))),
        (400, Some(("EXPIRED", 1))),
    ] {
        while rig.time.clock().now().unix() / 86_400 < records_day() + day {
            next_day(&rig);
        }
        let messages = rig.pool.messages();
        for (row, family) in [(authority, "POOL_CA"), (pinned, "POOL_PINNED")] {
            let found = about(&messages, &records, row);
            let found: Vec<_> = found.iter().map(shown).collect();
            let expected = expected.map(|(suffix, priority)| {
                (format!("{family}_CERTIFICATE_{suffix}"), priority, MessageClass::Certificate)
            });
            let expected: Vec<_> = expected.iter().map(|(n, p, c)| (n.as_str(), *p, *c)).collect();
            assert_eq!(found, expected, "day {day}");
        }
        assert_eq!(messages.len(), if expected.is_some() { 2 } else { 0 }, "day {day}");
    }
    let bodies: Vec<_> = rig.pool.messages().into_iter().map(|message| message.body).collect();
    assert_eq!(
        bodies,
        [
            "<body><message>The pool-wide trusted root CA certificate has expired.</message>\
             <date>20260213T06:38:29Z</date></body>",
            "<body><message>The pool-wide trusted pinned leaf certificate has expired.</message>\
             <date>20260213T06:38:29Z</date></body>",
        ]
    );
    let kinds = rig.kinds();
    let count = |kind| kinds.iter().filter(|known| **known == kind).count();
    assert_eq!((count("message.created"), count("message.destroyed")), (8, 6));
    assert_eq!(count("certificates.check-failed"), 0);
}

fn records_day() -> i64 {
    "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap().unix() / 86_400
}

/// Each host has two certificates of its own, which it made itself for ten years.
#[tokio::test]
async fn hosts_are_told_of_their_own_certificates() {
    let rig = Rig::design(2);
    let ten_years = 3_650;
    for (days, suffix, priority) in [
        (ten_years - 30, None, 0),
        (ten_years - 29, Some("EXPIRING_30"), 3),
        (ten_years + 1, Some("EXPIRED"), 1),
    ] {
        let passed = rig.time.clock().now().unix() / 86_400 - records_day();
        rig.time.advance(DAY * u32::try_from(days - passed - 1).unwrap());
        next_day(&rig);
        let messages = rig.pool.messages();
        let Some(suffix) = suffix else {
            assert_eq!(messages, []);
            continue;
        };
        let hosts = rig.pool.database_view().hosts;
        assert_eq!(messages.len(), 4);
        for host in hosts {
            let about: Vec<_> = messages.iter().filter(|m| m.obj_uuid == host.uuid).collect();
            let names =
                ["HOST_SERVER", "HOST_INTERNAL"].map(|of| format!("{of}_CERTIFICATE_{suffix}"));
            assert_eq!(
                about.iter().map(|message| shown(message)).collect::<Vec<_>>(),
                names
                    .iter()
                    .map(|name| (name.as_str(), priority, MessageClass::Host))
                    .collect::<Vec<_>>()
            );
        }
    }
}

/// What another body or priority has is replaced; what somebody else's message is, stays.
#[tokio::test]
async fn what_is_of_the_family_and_differs_is_replaced() {
    let rig = Rig::landed(1);
    rig.install(&ends_in("authority", 5), &[]).await.unwrap();
    let uuid = rig.pool.certificates()[0].uuid;
    let by_hand = |name: &str, body: &str| sim_host::Call::MessageCreate {
        name: name.to_owned(),
        priority: 1,
        class: MessageClass::Certificate,
        obj_uuid: uuid.to_string(),
        body: body.to_owned(),
    };
    for (name, body) in [
        ("POOL_CA_CERTIFICATE_EXPIRING_07", "in other words"),
        ("POOL_CA_CERTIFICATE_EXPIRED", "too early"),
        ("POOL_PINNED_CERTIFICATE_EXPIRED", "of another family"),
        ("EXTAUTH_INIT_IN_HOST_FAILED", "of none"),
    ] {
        rig.pool.call(by_hand(name, body), &rig.trail).await.unwrap();
    }
    next_day(&rig);
    let messages = rig.pool.messages();
    let names: Vec<_> = messages.iter().map(|message| message.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "POOL_PINNED_CERTIFICATE_EXPIRED",
            "EXTAUTH_INIT_IN_HOST_FAILED",
            "POOL_CA_CERTIFICATE_EXPIRING_07",
        ]
    );
    assert!(messages[2].body.contains("is expiring soon."), "{}", messages[2].body);
    next_day(&rig);
    assert_eq!(rig.pool.messages(), messages, "an identical one is not repeated");
}

/// The job does nothing to messages about what needs no message any more.
#[tokio::test]
async fn nothing_is_taken_back() {
    let rig = Rig::landed(1);
    rig.install(&ends_in("authority", 10), &[]).await.unwrap();
    next_day(&rig);
    let raised = rig.pool.messages();
    assert_eq!(raised.len(), 1);
    let certificate = rig.pool.certificates()[0].reference.clone();
    rig.call(sim_host::Call::PoolUninstallTrustedCertificate { pool: None, certificate })
        .await
        .unwrap();
    next_day(&rig);
    assert_eq!(rig.pool.messages(), raised);
}

/// A database that cannot be written ends the job, and the ledger says why.
#[tokio::test]
async fn a_job_that_breaks_off_says_so() {
    let rig = Rig::landed(1);
    rig.install(&ends_in("authority", 10), &[]).await.unwrap();
    let folder = rig.host(1).root().clone();
    folder.remove("/var/lib/xcp/state.json").unwrap();
    folder.create_directory("/var/lib/xcp/state.json/in-the-way", 0o755).unwrap();
    next_day(&rig);
    assert_eq!(rig.pool.messages(), []);
    assert_eq!(rig.kinds().last(), Some(&"certificates.check-failed"));
}
