//! The application's word: first contact, second contact, and servers that have changed.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use fake_dc_pki::{KeyOwner, RenewalKey};
use trust_models::directory::{Answer, CertData, Client, DataKind, Known, Question};

use crate::world::{HOST, Lab, ca, chain, now, plan, revoked};

/// What an application was asked.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<(&'static str, bool)>>>);

impl Asked {
    /// A client whose application gives this answer, and keeps what it was asked.
    fn client(&self, client: Client, answer: Answer) -> Client {
        let asked = Arc::clone(&self.0);
        client.asking(move |question: &Question<'_>| {
            assert_eq!(question.host, HOST);
            assert!(question.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
            asked.lock().unwrap().push((question.known.name(), question.judgement.passed()));
            answer
        })
    }

    fn taken(&self) -> Vec<(&'static str, bool)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn first_and_second_contact_for_each_answer() {
    for (answer, second) in [
        (Answer::AcceptOnce, "new"),
        (Answer::AcceptPermanently, "trusted"),
        (Answer::Reject, "new"),
    ] {
        let ca = ca(1);
        let lab = Lab::new(&ca);
        let (asked, server) = (Asked::default(), lab.server(&chain(&ca, "host1")));
        for known in ["new", second] {
            let client = asked.client(lab.client(), answer);
            let outcome = lab.connect(&client, &server).await;
            match answer {
                Answer::Reject => {
                    let error = outcome.map(|_| ()).unwrap_err();
                    assert_eq!(error.id(), "rejected-by-application");
                }
                answer => assert_eq!(outcome.unwrap().answer, Some(answer)),
            }
            assert_eq!(asked.taken(), [(known, true)]);
        }
        let expected = usize::from(answer == Answer::AcceptPermanently);
        assert_eq!(lab.trusted().matches(&format!("Host: {HOST}\n")).count(), expected);
    }
}

#[tokio::test]
async fn a_known_server_with_another_certificate_is_never_accepted_silently() {
    let (own, other) = (ca(1), ca(2));
    let lab = Lab::new(&own);
    let asked = Asked::default();
    let first = lab.server(&chain(&own, "host1"));
    let permanently = asked.client(lab.client(), Answer::AcceptPermanently);
    lab.connect(&permanently, &first).await.unwrap();
    asked.taken();

    // Under the same CA: it passes, and is reported as changed.
    let mut again = plan(&own, "host1");
    again.leaf().keyed(KeyOwner::Named("host1 renewed".to_owned()));
    let renewed = lab.server(&again.issue().unwrap());
    assert_eq!(lab.refusal(&lab.client(), &renewed).await, "server-changed");
    let rejecting = asked.client(lab.client(), Answer::Reject);
    assert_eq!(lab.refusal(&rejecting, &renewed).await, "rejected-by-application");
    assert_eq!(asked.taken(), [("changed", true)]);

    // Under another: nobody is asked, unless the application wants to be.
    let strange = lab.server(&chain(&other, "host1"));
    assert_eq!(lab.refusal(&rejecting, &strange).await, "server-signer");
    assert_eq!(asked.taken(), []);
    let curious = asked.client(lab.client(), Answer::AcceptOnce).asking_about_untrusted();
    lab.connect(&curious, &strange).await.unwrap();
    assert_eq!(asked.taken(), [("changed", false)]);

    // Accepted permanently, the new certificate takes the place of the old.
    let connection = lab.connect(&permanently, &renewed).await.unwrap();
    assert!(matches!(connection.known, Known::Changed { before } if before.len() == 1));
    assert_eq!(lab.trusted().matches("BEGIN CERTIFICATE").count(), 1);
    assert!(lab.connect(&lab.client(), &renewed).await.is_ok());
    assert_eq!(lab.refusal(&lab.client(), &first).await, "server-changed");
}

#[tokio::test]
async fn a_ca_that_is_renewed_with_another_key_is_another_ca() {
    let old = ca(1);
    let lab = Lab::new(&old);
    let client = Asked::default().client(lab.client(), Answer::AcceptPermanently);
    lab.connect(&client, &lab.server(&chain(&old, "host1"))).await.unwrap();
    let new = lab.server(&chain(&old.renewed(now(), RenewalKey::New, 3_650).unwrap(), "host1"));
    assert_eq!(lab.refusal(&client, &new).await, "server-signer");
    let same = lab.server(&chain(&old.renewed(now(), RenewalKey::Same, 3_650).unwrap(), "host1"));
    let connection = lab.connect(&client, &same).await.unwrap();
    assert_eq!(connection.known.name(), "changed", "it was issued again");
}

#[tokio::test]
async fn an_untrusted_server_is_asked_about_on_demand_and_a_revoked_one_never() {
    let (own, other) = (ca(1), ca(2));
    let lab = Lab::new(&own);
    let asked = Asked::default();
    let curious = || asked.client(lab.client(), Answer::AcceptPermanently).asking_about_untrusted();
    let strange = lab.server(&chain(&other, "host1"));
    lab.connect(&curious(), &strange).await.unwrap();
    assert_eq!(asked.taken(), [("new", false)]);
    // It is in the list now, which is no validation.
    assert_eq!(lab.refusal(&lab.client(), &strange).await, "server-signer");
    assert!(lab.connect(&curious(), &strange).await.unwrap().known == Known::Trusted);
    asked.taken();

    let (shown, list) = revoked(&own, "host1");
    lab.put(DataKind::CaRevocationList, &list);
    assert_eq!(lab.refusal(&curious(), &lab.server(&shown)).await, "server-revocation");
    assert_eq!(asked.taken(), []);
}

#[tokio::test]
async fn data_from_memory_is_data_from_files() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let server = lab.server(&chain(&ca, "host1"));
    let asked = Asked::default();
    lab.connect(&asked.client(lab.client(), Answer::AcceptPermanently), &server).await.unwrap();
    let mut data = CertData::new();
    data.add(DataKind::CaCertificate, ca.root_pem()).unwrap();
    data.add(DataKind::TrustedServers, &lab.trusted()).unwrap();
    let from_memory = lab.connect(&lab.client_with(data), &server).await.unwrap();
    let from_file = lab.connect(&lab.client(), &server).await.unwrap();
    assert_eq!(from_memory.judgement.to_string(), from_file.judgement.to_string());
    assert_eq!([from_memory.known, from_file.known], [Known::Trusted, Known::Trusted]);
}

/// Without a file the client remembers, and the application may keep what it remembers.
#[tokio::test]
async fn without_a_file_permanent_is_as_long_as_the_client() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let server = lab.server(&chain(&ca, "host1"));
    let data = |trusted: &str| {
        let mut data = CertData::new();
        data.add(DataKind::CaCertificate, ca.root_pem()).unwrap();
        data.add(DataKind::TrustedServers, trusted).unwrap();
        data
    };
    let asked = Asked::default();
    let client = asked.client(lab.client_with(data("")), Answer::AcceptPermanently);
    for _ in 0..2 {
        lab.connect(&client, &server).await.unwrap();
    }
    let next =
        asked.client(lab.client_with(data(&client.trusted_servers_pem())), Answer::AcceptOnce);
    lab.connect(&next, &server).await.unwrap();
    assert_eq!(asked.taken(), [("new", true), ("trusted", true), ("trusted", true)]);
    assert_eq!(lab.trusted(), "");
}

/// Somebody who is asked and goes away holds up nobody for longer than was promised.
#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_no_longer_waited_for() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let server = lab.server(&chain(&ca, "host1"));
    // A machine under load may not come to the question within a short time.
    for limit in [100, 1_000, 10_000].map(Duration::from_millis) {
        let (answers, answered) = mpsc::channel();
        let (says, said) = mpsc::channel();
        let answered = Mutex::new(answered);
        // Without an answer until the client has given up.
        let validator = move |_: &Question<'_>| {
            let answer = answered.lock().unwrap().recv().unwrap();
            says.send(()).unwrap();
            answer
        };
        let client = lab.client().within(limit).asking(validator);
        assert_eq!(lab.refusal(&client, &server).await, "silent");
        drop(client);
        // One that comes now is not heard. Who was not asked has gone with the client.
        if answers.send(Answer::AcceptPermanently).is_err() {
            continue;
        }
        said.recv().unwrap();
        assert_eq!(lab.trusted(), "");
        let heard = lab.ledger.events().iter().any(|event| event.kind() == "directory.asked");
        assert!(!heard, "nobody has heard an answer");
        return;
    }
    panic!("the validator was not asked within ten seconds");
}
