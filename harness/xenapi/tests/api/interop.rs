//! The package `XenAPI` of PyPI, run by the machine's own Python.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use ground::Actor;
use sim_host::{Certificate, Profile};
use tokio::{process::Command, time::timeout};
use xenapi_wire::{Options, serve};

use crate::world::{DOMAIN, JOIN_PASSWORD, ROOT_PASSWORD, World};

/// The release that the script was written against.
const PACKAGE: &str = "XenAPI==26.21.1";
const SETUP_LIMIT: Duration = Duration::from_secs(120);
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_python_package_drives_the_flows() {
    let directory = tempfile::tempdir().unwrap();
    let python = match environment(directory.path()).await {
        Ok(python) => python,
        Err(cause) if std::env::var("TRUSTRIG_REQUIRE_TOOLS").is_ok_and(|value| value == "1") => {
            panic!("the package {PACKAGE} cannot be had: {cause}")
        }
        Err(cause) => {
            // Written past the test harness, which hides what is printed.
            let text = format!("SKIPPED: the package {PACKAGE} cannot be had: {cause}\n");
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return;
        }
    };
    for profile in Profile::ALL {
        let world = World::in_domain(profile).await;
        let ca = directory.path().join("ca.pem");
        std::fs::write(&ca, world.domain.as_ref().unwrap().ca_pem()).unwrap();
        let url = format!("http://{}", world.server.address());
        let member = Options {
            host: Some("host2".to_owned()),
            ..Options::new(world.ledger.trail(Actor::Runner))
        };
        let member = serve(Arc::clone(&world.pool), member).await.unwrap();
        let member_url = format!("http://{}", member.address());
        let mut script = Command::new(&python);
        script.arg("-c").arg(include_str!("interop.py")).args([
            url.as_str(),
            &member_url,
            profile.name(),
            ROOT_PASSWORD,
            DOMAIN,
            JOIN_PASSWORD,
        ]);
        let said = run(script.arg(&ca), SCRIPT_LIMIT).await.unwrap();
        assert_eq!(said.trim(), "all held", "{profile}");
        assert!(!world.pool.certificates().iter().any(Certificate::is_trusted));
        world.assert_no_secrets(&[ROOT_PASSWORD, JOIN_PASSWORD]);
        member.stop().await;
        world.server.stop().await;
        world.domain.unwrap().stop().await;
    }
}

/// A Python that has the package.
async fn environment(directory: &Path) -> Result<PathBuf, String> {
    let home = directory.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&home), SETUP_LIMIT).await?;
    let python = home.join("bin").join("python3");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--retries", "1", "--timeout", "15", PACKAGE]);
    run(&mut pip, SETUP_LIMIT).await?;
    Ok(python)
}

/// What a program prints, if it succeeds in time.
async fn run(command: &mut Command, limit: Duration) -> Result<String, String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(limit, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("it did not end within {limit:?}")),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
