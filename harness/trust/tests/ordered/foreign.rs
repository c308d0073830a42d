//! What programs of others make of it: curl uploads, sqlite3 reads the table, openssl and gnutls-cli
//! see the whole chain, keytool reads the trust store.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    process::Stdio,
};

use ground::{Seed, Timestamp};
use tokio::process::Command;
use trust_models::ordered::{API_PATH, Material, ROOT_ALIAS, STORE_PASSWORD, Script, Upload};

use crate::cloud::{Lab, material};

/// What a program printed; `None` if it is not there, which is said.
pub(crate) async fn run<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> Option<String> {
    let started = Command::new(program).args(arguments).stdin(Stdio::null()).output().await;
    let Ok(output) = started else {
        let required = env::var("TRUSTRIG_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        assert!(!required, "there is no `{program}` program here");
        // Written past the test harness, which hides what is printed.
        let skipped = format!("SKIPPED: there is no `{program}` program here\n");
        io::stderr().write_all(skipped.as_bytes()).unwrap();
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(text(&output.stdout) + &text(&output.stderr))
}

/// What curl is told in order to upload.
fn form(upload: &Upload, encoding: &str) -> Vec<String> {
    let mut arguments = vec!["-sS".to_owned(), "-i".to_owned()];
    let id = upload.id.map(|id| id.to_string());
    let parameters = [
        ("command", Some("uploadCustomCertificate")),
        ("name", Some(upload.name.as_str())),
        ("id", id.as_deref()),
        ("domainsuffix", Some(upload.domain_suffix.as_str())),
        ("certificate", Some(upload.certificate.as_str())),
        ("privatekey", upload.private_key.as_ref().map(ground::Secret::expose)),
    ];
    for (name, value) in parameters {
        if let Some(value) = value {
            arguments.extend([encoding.to_owned(), format!("{name}={value}")]);
        }
    }
    arguments
}

/// The text between two others.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let after = text.split_once(start).map(|(_, after)| after);
    after.and_then(|after| after.split_once(end)).map_or("", |(found, _)| found)
}

/// Uploads with curl over HTTPS or HTTP, and waits for the job as its end is recorded.
async fn curl(lab: &Lab, upload: &Upload, scheme: &str) -> Option<String> {
    let before = lab.ledger.last();
    let url = format!("{scheme}://{}{API_PATH}", lab.cloud.api_address());
    let mut arguments = form(upload, "--data-urlencode");
    arguments.extend(["-k".to_owned(), url.clone()]);
    let answer = run("curl", &arguments).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("content-type: text/xml; charset=UTF-8"), "{answer}");
    let job = between(&answer, "<jobid>", "</jobid>").to_owned();
    let is_over = |event: &ground::Event| event.kind() == "ordered.job-ended";
    lab.ledger.wait_for_after(before, is_over).await;
    let query = format!("{url}?command=queryAsyncJobResult&response=json&jobid={job}");
    run("curl", &["-sS", "-k", &query]).await
}

#[tokio::test]
async fn curl_uploads_and_sqlite3_reads() {
    let lab = Lab::new().await;
    let material = material("corp", &[]);
    for (upload, scheme) in material.uploads().iter().zip(["http", "https", "http"]) {
        let Some(result) = curl(&lab, upload, scheme).await else { return };
        assert!(result.contains(r#""jobstatus":1"#), "{result}");
        assert!(
            result.contains("Certificate has been successfully updated, if its the server"),
            "{result}"
        );
    }
    assert_eq!(lab.copy().await, Ok(()));
    let another = Upload { name: "another".to_owned(), ..material.server_upload() };
    let refused = curl(&lab, &another, "http").await.unwrap();
    assert!(result_is(&refused, r#""jobstatus":2"#, "the server certificate is `server` already"));

    let database = lab.cloud.database();
    let database = database.to_str().unwrap();
    let ask = |sql: &'static str| async move { run("sqlite3", &[database, sql]).await };
    let Some(rows) =
        ask("select id, name, domain_suffix, seq, \"key\" is null from keystore order by id").await
    else {
        return;
    };
    assert_eq!(
        rows,
        "1|root|corp.example|1|1\n2|intermediate1|corp.example|2|1\n3|server|corp.example||0\n"
    );
    let root = ask("select certificate from keystore where seq = 1").await.unwrap();
    assert_eq!(root.trim_end(), material.root.trim_end());
    let columns = ask("select name || ' ' || type || iif(\"notnull\", ' not null', '') from \
         pragma_table_info('keystore')");
    assert_eq!(
        columns.await.unwrap(),
        "id INTEGER\nname varchar(64) not null\ncertificate TEXT not null\nkey TEXT\n\
         domain_suffix varchar(256) not null\nseq INT\n"
    );
}

fn result_is(result: &str, status: &str, words: &str) -> bool {
    result.contains(status) && result.contains(words)
}

/// A certificate as `openssl pkcs12` prints it, with a text before it that is no base64.
#[tokio::test]
async fn what_openssl_prints_of_a_pkcs12_is_uploaded() {
    let lab = Lab::new().await;
    let material = material("corp", &[]);
    let [root, intermediate, server] = material.uploads();
    let path = |name: &str| lab.directory.path().join(name).to_str().unwrap().to_owned();
    let (pem, p12) = (path("server.pem"), path("server.p12"));
    fs::write(&pem, format!("{}{}", material.key.expose(), material.server)).unwrap();
    let export = "pkcs12 -export -name corp -passout pass: -in";
    let export: Vec<_> = export.split(' ').chain([pem.as_str(), "-out", &p12]).collect();
    if run("openssl", &export).await.is_none() {
        return;
    }
    let print: Vec<_> =
        "pkcs12 -nokeys -passin pass: -in".split(' ').chain([p12.as_str()]).collect();
    let printed = run("openssl", &print).await.unwrap();
    assert!(printed.starts_with("Bag Attributes\n    "), "{printed}");
    for upload in [root, intermediate, Upload { certificate: printed, ..server }] {
        let Some(result) = curl(&lab, &upload, "http").await else { return };
        assert!(result.contains(r#""jobstatus":1"#), "{result}");
    }
    assert_eq!(lab.copy().await, Ok(()));
    assert_eq!(lab.diagnoses().await, []);
}

#[tokio::test]
async fn a_plus_that_curl_does_not_encode_is_a_blank() {
    let lab = Lab::new().await;
    let before = fs::read(lab.cloud.database()).unwrap();
    let url = format!("http://{}{API_PATH}", lab.cloud.api_address());
    let mut arguments = form(&material("corp", &[]).root_upload(), "--data");
    arguments.push(url.clone());
    let seen = lab.ledger.last();
    let Some(answer) = run("curl", &arguments).await else { return };
    // curl takes the line breaks out of nothing: the base64 arrives with blanks for its plus signs.
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let refused = |event: &ground::Event| event.kind() == "ordered.refused";
    let event = lab.ledger.wait_for_after(seen, refused).await;
    assert_eq!(event.fields()["reason"], "not-url-encoded");
    assert_eq!(fs::read(lab.cloud.database()).unwrap(), before);

    let unknown = run("curl", &["-sS", "-i", &format!("{url}?command=listEverything")]).await;
    let unknown = unknown.unwrap();
    assert!(unknown.starts_with("HTTP/1.1 432"), "{unknown}");
    assert!(unknown.contains("x-description: Unknown API command: listEverything"), "{unknown}");
    assert!(
        unknown.ends_with(
            "<errorresponse cloud-stack-version=\"4.4.0\"><cserrorcode>9999</cserrorcode>\
             <errorcode>432</errorcode><errortext>Unknown API command: listEverything</errortext>\
             </errorresponse>"
        ),
        "{unknown}"
    );
    let missing = format!("{url}?command=uploadCustomCertificate&response=json&name=root");
    let missing = run("curl", &["-sS", "-i", &missing]).await.unwrap();
    assert!(missing.starts_with("HTTP/1.1 431"), "{missing}");
    assert!(
        missing.contains("due to missing parameter certificate") && missing.contains("uuidList"),
        "{missing}"
    );
}

#[tokio::test]
async fn openssl_sees_the_whole_chain() {
    let lab = Lab::new().await;
    let material = of_today();
    lab.upload(&material.uploads()).await;
    let address = lab.cloud.storage("storage1").unwrap().https().await.unwrap().to_string();
    let roots = lab.directory.path().join("root.pem");
    fs::write(&roots, &material.root).unwrap();
    let roots = roots.to_str().unwrap();
    let host = "127-1-0-10.corp.example";
    let seconds = crate::world::now().unix().to_string();
    let arguments = [
        "s_client",
        "-connect",
        &address,
        "-servername",
        host,
        "-showcerts",
        "-CAfile",
        roots,
        "-verify_hostname",
        host,
        "-attime",
        &seconds,
    ];
    let Some(said) = run("openssl", &arguments).await else { return };
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
    // Apache's order: the leaf, and then the chain file from the root down.
    let shown: Vec<&str> =
        said.lines().filter_map(|line| line.trim().split_once(" s:").map(|(_, s)| s)).collect();
    let shown: Vec<&str> = shown
        .iter()
        .map(|subject| subject.rsplit("CN = ").next().unwrap_or(subject))
        .map(|name| name.rsplit("CN=").next().unwrap_or(name))
        .collect();
    assert_eq!(
        shown,
        ["*.corp.example", "corp.example Root CA", "corp.example Issuing CA"],
        "{said}"
    );
    for certificate in [&material.server, &material.root, &material.intermediate] {
        assert!(said.contains(certificate.trim_end()), "not all are shown");
    }
}

#[tokio::test]
async fn gnutls_believes_the_whole_chain_and_not_the_leaf_alone() {
    let directory = tempfile::tempdir().unwrap();
    let lab = Lab::of(directory, [Script::Current, Script::Old]).await;
    let material = of_today();
    lab.upload(&material.uploads()).await;
    let roots = lab.directory.path().join("root.pem");
    fs::write(&roots, &material.root).unwrap();
    for (name, host, verdict) in [
        ("storage1", "127-1-0-10.corp.example", "Status: The certificate is trusted."),
        ("storage2", "127-1-0-11.corp.example", "The certificate issuer is unknown."),
    ] {
        let address = lab.cloud.storage(name).unwrap().https().await.unwrap();
        let arguments = [
            format!("--port={}", address.port()),
            format!("--x509cafile={}", roots.display()),
            format!("--verify-hostname={host}"),
            "--disable-sni".to_owned(),
            address.ip().to_string(),
        ];
        let at = crate::world::now();
        let Some(said) = run_at("gnutls-cli", &arguments, at).await else { return };
        assert!(said.contains(verdict), "{said}");
    }
}

/// As [`run`], at another time: gnutls-cli has no option for it.
async fn run_at<A: AsRef<OsStr>>(program: &str, arguments: &[A], at: Timestamp) -> Option<String> {
    let time = at.to_string().replace('T', " ").replace('Z', "");
    let mut all = vec!["-f".into(), format!("@{time}").into(), program.into()];
    all.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
    run("faketime", &all).await
}

#[tokio::test]
async fn keytool_reads_the_trust_store() {
    let lab = Lab::new().await;
    lab.upload(&material("corp", &[]).uploads()).await;
    let root = lab.cloud.storage("storage1").unwrap().root().to_owned();
    let store = root.join("usr/local/cloud/systemvm/certs/realhostip.keystore");
    let store = store.to_str().unwrap();
    let arguments = ["-list", "-keystore", store, "-storepass", STORE_PASSWORD];
    let Some(said) = run("keytool", &arguments).await else { return };
    assert!(said.contains("Your keystore contains 2 entries"), "{said}");
    assert!(said.contains(&format!("{}, ", ROOT_ALIAS.to_lowercase())), "{said}");
    assert!(said.contains("trustedCertEntry"), "{said}");
}

/// The certificates of the test's day.
fn of_today() -> Material {
    Material::issue(&Seed::new(7), "corp", "corp.example", crate::world::now(), &[]).unwrap()
}
