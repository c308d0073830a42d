//! Programs that say which DC they found: `net ads info`, `adcli info`, `dig` and `host`.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use fake_dc::Domain;
use sim_host::Output;

use crate::{
    namespace::in_namespace,
    world::{Host, captured, captured_time, domain},
};

/// The body of a captured text, without what is said of it.
fn text(name: &str) -> String {
    let files = captured("samba-ad/cldap");
    let file = files.iter().find(|file| file.file_stem().is_some_and(|stem| stem == name));
    let text = fs::read_to_string(file.unwrap()).unwrap();
    text.lines().skip_while(|line| line.starts_with('#') || line.is_empty()).fold(
        String::new(),
        |mut text, line| {
            text += line;
            text.push('\n');
            text
        },
    )
}

#[test]
fn net_says_which_dc_it_found() {
    in_namespace("discovery::net_says_which_dc_it_found", || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let time = captured_time();
            let domain = domain(&time).await;
            let host = Host::of(&domain, time.clock());
            host.join().await;
            let net = async |arguments: &[&str]| host.net(arguments, None).await;

            let lookup = net(&["ads", "lookup", "-S", "192.0.2.10"]).await;
            assert_eq!((lookup.exit, lookup.stdout), (0, text("net-ads-lookup")));
            let info = net(&["ads", "info", "-S", "192.0.2.10"]).await;
            assert_eq!((info.exit, timeless(&info)), (0, timeless_text(&text("net-ads-info"))));
            assert!(info.stdout.contains("Server time: Sat, 21 Nov 2026 23:13:3"), "{info:?}");
            // Without `-S` it looks for one itself.
            let found = net(&["ads", "info"]).await;
            assert_eq!(timeless(&found), timeless(&info), "{found:?}");
            let found = net(&["ads", "lookup"]).await;
            assert_eq!(found.stdout, text("net-ads-lookup"), "{found:?}");
            domain.stop().await;
        });
    });
}

/// What is no time of a run.
fn timeless(output: &Output) -> Vec<String> {
    timeless_text(&output.stdout)
}

fn timeless_text(text: &str) -> Vec<String> {
    let timed = ["Server time:", "Server time offset:", "Last machine account password change:"];
    let lines = text.lines().filter(|line| !timed.iter().any(|start| line.starts_with(start)));
    lines.map(str::to_owned).collect()
}

#[test]
fn other_programs_find_the_dc() {
    in_namespace("discovery::other_programs_find_the_dc", || {
        for (program, package) in
            [("adcli", "adcli"), ("dig", "bind9-dnsutils"), ("host", "bind9-host")]
        {
            let mut present = Command::new(program);
            let present = present.arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if present.is_err() {
                let required = env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
                assert!(!required, "`{program}` is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
                eprintln!("SKIPPED: `{program}` is missing (apt-get install {package})");
                return;
            }
        }
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let domain = domain(&captured_time()).await;
            resolve_by(&domain);
            let found = run("adcli", &["info", "--domain-controller=dc1.lab.example"]).await;
            assert_eq!(found, text("adcli-info"));
            // Without a name it tells of all that it looked at.
            let found = run("adcli", &["info", "lab.example"]).await;
            assert_eq!(
                found.replace("domain-controllers = dc1.lab.example\n", ""),
                text("adcli-info")
            );
            assert!(found.contains("domain-controllers = dc1.lab.example\n"), "{found}");
            assert_eq!(
                run("host", &["-t", "SRV", "_ldap._tcp.dc._msdcs.lab.example"]).await,
                "_ldap._tcp.dc._msdcs.lab.example has SRV record 0 100 389 dc1.lab.example.\n"
            );
            assert_eq!(run("dig", &["+short", "-t", "A", "lab.example"]).await, "192.0.2.10\n");
            let over_tcp = ["+short", "+tcp", "SRV", "_kerberos._udp.lab.example"];
            assert_eq!(run("dig", &over_tcp).await, "0 100 88 dc1.lab.example.\n");
            domain.stop().await;
        });
    });
}

/// Lets the resolver of this test's programs ask the DC.
fn resolve_by(domain: &Domain) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let servers = domain.name_servers();
    let lines = servers.iter().map(|server| format!("nameserver {}\n", server.ip()));
    fs::write(file.path(), lines.collect::<String>()).unwrap();
    let mut bind = Command::new("mount");
    bind.arg("--bind").arg(file.path()).arg("/etc/resolv.conf");
    assert!(bind.status().unwrap().success(), "/etc/resolv.conf cannot be replaced");
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).output().await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}
