//! No key reaches an event, an error or `Debug`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use trust_models::directory::{Answer, CertData, Client, DataKind, Question};

use crate::world::{HOST, Lab, ca, chain, required};

#[tokio::test]
async fn nothing_that_is_written_holds_a_key() {
    let (own, other) = (ca(1), ca(2));
    let lab = Lab::new(&own);
    let (client_chain, server_chain) = (chain(&own, "client1"), chain(&own, "host1"));
    lab.equip(&client_chain);
    let server = lab.server(&server_chain).saying_consent();
    let mut written = Vec::new();
    for trust in [required(&own, None), required(&other, None)] {
        server.set_policy(trust);
        let client = lab.client().awaiting_consent().asking(|question: &Question<'_>| {
            assert!(!format!("{question:?}").is_empty());
            Answer::AcceptPermanently
        });
        written.push(format!("{client:?} {server:?}"));
        let (connected, served) = lab.meet(&client, &server, HOST).await;
        written.push(format!("{connected:?} {served:?}"));
        written.extend(connected.err().map(|error| format!("{error} {error:?}")));
    }
    let mut data = CertData::new();
    let key = client_chain.key.to_pem();
    data.add(DataKind::ClientKey, &key).unwrap();
    written.push(format!("{data:?}"));
    let damaged = [
        key.replace("PRIVATE KEY", "CERTIFICATE"),
        key.replace('A', "!"),
        key[40..].into(),
        // As it comes out of an environment variable, or of JSON.
        key.replace('\n', ""),
        key.replace('\n', " "),
        key.replace('\n', "\\n"),
    ];
    for text in &damaged {
        for kind in DataKind::ALL {
            let error = CertData::new().add(kind, text).map(|()| "none".to_owned());
            let error =
                error.unwrap_or_else(|error| format!("{error} {error:?} {}", error.advice()));
            written.push(error);
        }
    }
    let mismatch = {
        let mut data = lab.directory().load().unwrap();
        data.add(DataKind::ClientCertificate, &server_chain.leaf_pem()).unwrap();
        Client::new(data, lab.clock(), lab.ledger.trail(ground::Actor::Runner))
    };
    written.push(mismatch.map(|_| String::new()).unwrap_or_else(|e| format!("{e} {e:?}")));
    for event in lab.ledger.events() {
        written.push(format!("{event:?} {}", serde_json::Value::Object(event.fields())));
    }
    written.push(lab.trusted());
    assert!(lab.trusted().contains(HOST) && lab.ledger.events().len() > 8);

    for key in [&client_chain.key, &server_chain.key] {
        let der = key.to_der();
        let base64 = BASE64_STANDARD.encode(der.secret_der());
        let numbers = format!("{:?}", &der.secret_der()[40..60]);
        // Any run of it would do, wherever lines are broken.
        let runs: Vec<_> = base64.as_bytes().chunks(24).map(String::from_utf8_lossy).collect();
        for text in &written {
            let text = text.replace(['\n', '\r'], "");
            // The first and last run hold nothing but the form of the key.
            for run in &runs[2..runs.len() - 2] {
                assert!(!text.contains(run.as_ref()), "{text}");
            }
            assert!(!text.contains(numbers.trim_matches(['[', ']'])), "{text}");
        }
    }
}
