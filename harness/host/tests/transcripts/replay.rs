//! Every captured `net lookup kdc`, `net ads lookup`, `net ads search` and `net ads sid`.

use std::fs;

use ground::Secret;
use serde_json::Value;
use sim_host::Credentials;

use crate::{
    namespace::in_namespace,
    world::{Host, captured, captured_time, domain},
};

/// The transcripts, in an order, and the faults of the DC under which each is run again.
const TRANSCRIPTS: [(&str, &[&str]); 17] = [
    ("success", &[]),
    ("success-intermediate-chain", &[]),
    ("success-name-only-san", &[]),
    ("right-name-by-name", &[]),
    ("wrapping-seal", &[]),
    ("unknown-domain", &[]),
    ("wrong-password", &[]),
    ("disabled-user", &[]),
    ("ca-missing", &["anchor.unknown-root"]),
    ("expired-leaf", &["time.leaf-expired"]),
    ("wrong-name", &["name.other-host"]),
    // Samba's server has no alert for a client with which it shares no suite.
    ("ecdsa-leaf", &["algorithm.ecdsa-p256", "handshake.close-on-hello"]),
    ("alerting-server-tls13-only", &["handshake.tls13-only"]),
    ("closing-server", &["handshake.close-before-hello"]),
    ("ldaps-refused", &["net.refuse@ldaps"]),
    ("kdc-refused", &["net.refuse@kdc"]),
    ("leave", &[]),
];

#[test]
fn net_prints_of_the_fake_dc_what_it_printed_of_a_real_one() {
    in_namespace("replay::net_prints_of_the_fake_dc_what_it_printed_of_a_real_one", || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let time = captured_time();
            let domain = domain(&time).await;
            let host = Host::of(&domain, time.clock());
            let mut steps = Vec::new();
            for (name, faults) in TRANSCRIPTS {
                domain.set_faults("dc1", faults.iter().copied()).unwrap();
                steps.extend(run(&host, name).await);
            }
            domain.stop().await;
            steps.extend(run(&host, "dc-down").await);
            assert!(steps.len() > 50, "{} steps were run", steps.len());
            let different: Vec<String> = steps.into_iter().flatten().collect();
            assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
        });
    });
}

/// The steps of a transcript, each with what differs.
async fn run(host: &Host, name: &str) -> Vec<Option<String>> {
    let files = captured("samba-client");
    let file = files.iter().find(|file| file.file_stem().is_some_and(|stem| stem == name));
    let transcript: Value = serde_json::from_slice(&fs::read(file.unwrap()).unwrap()).unwrap();
    host.configure(&strings(&transcript["smb_conf_changes"]));
    // So did whoever made the captures.
    host.net(&["cache", "flush"], None).await;
    let mut steps = Vec::new();
    for step in transcript["steps"].as_array().unwrap() {
        let argv = strings(&step["argv"]);
        let Some(("net", arguments)) = argv.split_first().map(|(name, rest)| (name.as_str(), rest))
        else {
            continue;
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // These change the account over SMB: the model does it instead.
        match (&arguments[..], &step["exit"]) {
            (["ads", "join", ..], exit) if exit == 0 => host.join().await,
            (["ads", "leave", ..], _) => host.leave().await,
            _ => {}
        }
        if !REPLAYED.iter().any(|words| arguments.starts_with(words)) {
            continue;
        }
        let credentials = step["env"]["USER"].as_str().map(|user| Credentials::User {
            user: user.to_owned(),
            password: Secret::new(step["env"]["PASSWD"].as_str().unwrap_or_default()),
        });
        let output = host.net(&arguments, credentials.as_ref()).await;
        let text = |key: &str| step[key].as_str().unwrap_or_default();
        let ours = [output.exit.to_string(), fields(&output.stdout), essence(&output.stderr)];
        let theirs = [step["exit"].to_string(), fields(text("stdout")), essence(text("stderr"))];
        let same = ours == theirs;
        steps.push((!same).then(|| {
            format!(
                "== {name}: {}\n--- now\n{}\n--- then\n{}",
                argv.join(" "),
                ours.join("\n"),
                theirs.join("\n")
            )
        }));
    }
    steps
}

const REPLAYED: [&[&str]; 4] =
    [&["lookup", "kdc"], &["ads", "lookup"], &["ads", "search"], &["ads", "sid"]];

/// Standard output. The order of an entry's attributes is that in which a directory keeps them.
fn fields(stdout: &str) -> String {
    let Some((head, entries)) = stdout.split_once("\n\n").filter(|_| stdout.starts_with("Got "))
    else {
        return stdout.to_owned();
    };
    // The directory was captured after more wrong passwords than these commands.
    let lines = entries.lines().filter(|line| !line.starts_with("lockoutTime: "));
    let mut lines: Vec<&str> = lines.collect();
    lines.sort_unstable();
    format!("{head}\n{}", lines.join("\n"))
}

/// Standard error without what depends on the machine: its interfaces, and where in Samba's source a
/// line was written.
fn essence(stderr: &str) -> String {
    let lines = stderr.lines().filter(|line| !line.starts_with("added interface"));
    let lines = lines.map(|line| match line.split_once("tls_tstream.c:") {
        None => line.to_owned(),
        Some((before, after)) => {
            format!(
                "{before}tls_tstream.c{}",
                after.trim_start_matches(|c: char| c.is_ascii_digit())
            )
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn strings(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
