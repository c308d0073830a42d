//! The programs of one host: `net` as it is installed on this machine, and the model for what
//! needs SMB.

use std::{io, path::Path, process::Stdio, sync::Arc, time::Duration};

use ground::{Clock, Timestamp, Trail};
use time::macros::format_description;
use tokio::{process::Command, time::timeout};

use super::{command::NetCommand, machine, namespace::Namespace, secrets::SecretsTdb};
use crate::{Credentials, HostRoot, Output, Programs, Running, SambaCommand, SharedNetwork, samba};

/// The host's own, which it need not have.
const KRB5_CONF: &str = "/etc/krb5.conf";
/// What stands in for it: Samba writes such a file for the domain when it joins
/// (`create_local_private_krb5_conf_for_domain`).
const KRB5_CONF_OF_DOMAIN: &str = "/run/samba/krb5.conf";

/// The real Samba programs of one host.
#[derive(Debug)]
pub struct Client {
    root: HostRoot,
    network: SharedNetwork,
    clock: Clock,
    namespace: Arc<Namespace>,
    model: Arc<samba::Client>,
    patience: Duration,
    secrets: SecretsTdb,
}

/// Why a program was not seen to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfinished {
    /// It was still running, and was ended.
    #[error("`{command}` was still running after {} s", .patience.as_secs())]
    TooLong {
        /// The command line.
        command: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// It could not be run.
    #[error("`{command}` cannot be run: {source}")]
    NotRun {
        /// The command line.
        command: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Client {
    /// The programs of the host with this root, network and clock, in its namespace. `model` is
    /// that of the same host. A program that runs longer than `patience` is ended.
    pub fn new(
        root: HostRoot,
        network: SharedNetwork,
        clock: Clock,
        namespace: Arc<Namespace>,
        model: samba::Client,
        patience: Duration,
    ) -> Self {
        let (model, secrets) = (Arc::new(model), SecretsTdb::default());
        Self { root, network, clock, namespace, model, patience, secrets }
    }

    /// As [`Programs::run`], for who can tell a program that did not end from one that failed.
    ///
    /// # Errors
    ///
    /// When it does not end, or cannot be run.
    pub async fn finish(
        &self,
        command: SambaCommand,
        debug_level: u8,
        trail: &Trail,
    ) -> Result<Output, Unfinished> {
        if command == SambaCommand::CacheFlush {
            // winbind is the model's, and remembers in its own way.
            self.model.run(command.clone(), debug_level, trail).await;
        }
        if let Some(net) = NetCommand::of(&command, debug_level) {
            let arguments: Vec<&str> = net.arguments.iter().map(String::as_str).collect();
            return self.net(&arguments, net.credentials.as_ref()).await;
        }
        let (model, trail) = (Arc::clone(&self.model), trail.clone());
        let done = self.namespace.run(async move { model.run(command, debug_level, &trail).await });
        done.await.map_err(|error| Unfinished::NotRun {
            command: "the model of Samba".to_owned(),
            source: io::Error::other(error),
        })
    }

    /// Runs `net` with any arguments. The name servers are those of the host's network, which must
    /// have the standard port; the secrets are those of its last join.
    ///
    /// # Errors
    ///
    /// When it does not end, or cannot be run.
    pub async fn net(
        &self,
        arguments: &[&str],
        credentials: Option<&Credentials>,
    ) -> Result<Output, Unfinished> {
        let shown = format!("net {}", arguments.join(" "));
        let not_run = |source: io::Error| Unfinished::NotRun { command: shown.clone(), source };
        self.prepare().map_err(not_run)?;
        let command = self.command(arguments, credentials);
        let patience = self.patience;
        // Spawned where it is to run: a program inherits the namespaces of the thread.
        let ended = self.namespace.run(async move {
            let mut command = command;
            timeout(patience, command.kill_on_drop(true).output()).await
        });
        match ended.await.map_err(io::Error::other).map_err(not_run)? {
            Ok(Ok(output)) => Ok(Output {
                // Ended by a signal: as a shell counts it.
                exit: output.status.code().unwrap_or(128),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
            Ok(Err(source)) => Err(not_run(source)),
            Err(_) => Err(Unfinished::TooLong { command: shown, patience }),
        }
    }

    /// Files that are not xapi's: what DHCP and a join write.
    fn prepare(&self) -> io::Result<()> {
        let servers = self.network.current().nameservers;
        let resolv_conf: String =
            servers.iter().map(|server| format!("nameserver {}\n", server.ip())).collect();
        self.root
            .write("/etc/resolv.conf", resolv_conf.as_bytes(), 0o644)
            .map_err(io::Error::other)?;
        let realm = samba::Settings::load(&self.root).map_err(io::Error::other)?.realm;
        let krb5_conf =
            format!("[libdefaults]\ndns_lookup_realm = false\ndefault_realm = {realm}\n");
        self.root
            .write(KRB5_CONF_OF_DOMAIN, krb5_conf.as_bytes(), 0o644)
            .map_err(io::Error::other)?;
        self.secrets.update(&self.root, self.clock.now())
    }

    fn command(&self, arguments: &[&str], credentials: Option<&Credentials>) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.namespace.root()).arg("env");
        if let Some(library) = machine::faketime()
            && !self.clock.is_system()
        {
            command.args(fake_time(&library, self.clock.now()));
        }
        command
            .arg("/usr/bin/net")
            .args(arguments)
            .env_clear()
            .env("PATH", machine::PROGRAMS)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        if !self.root.exists(KRB5_CONF).unwrap_or(false) {
            command.env("KRB5_CONFIG", KRB5_CONF_OF_DOMAIN);
        }
        if let Some(Credentials::User { user, password }) = credentials {
            command.env("USER", user).env("PASSWD", password.expose());
        }
        command
    }
}

impl Programs for Client {
    fn run<'a>(&'a self, command: SambaCommand, debug_level: u8, trail: &'a Trail) -> Running<'a> {
        Box::pin(async move {
            let finished = self.finish(command, debug_level, trail).await;
            finished.unwrap_or_else(|error| gone(&error.to_string()))
        })
    }
}

/// Variables, for `env`, that let a program begin at this time. What it measures stays real.
fn fake_time(library: &Path, now: Timestamp) -> [String; 4] {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let now = now.to_date_time().format(format).unwrap_or_default();
    [
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME=@{now}"),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        "NO_FAKE_STAT=1".to_owned(),
    ]
}

/// What a shell says of a program that it had to do without.
fn gone(why: &str) -> Output {
    Output { exit: 126, stdout: String::new(), stderr: format!("{why}\n") }
}
