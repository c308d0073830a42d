//! `trustrig client`: what a client of two pools does, call by call, against any XenAPI servers.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead as _},
    net::{SocketAddr, ToSocketAddrs as _},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use ground::{Actor, Clock, Ledger, Secret};
use runner::Exit;
use serde_json::json;
use xenapi_client::{
    Client, Trust,
    joining::{self, Copying, DomainAccount, Download, JoinPlan, Login, Side, Step},
};

use crate::output::{line, wrong_input};

/// Arguments of `trustrig client`.
#[derive(Args, Debug)]
pub(crate) struct ClientArguments {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Joins a host to a pool that reaches AD over LDAPS: tries, copies the pool's certificates, joins
    /// the domain, tries again, and takes back what it did if that fails.
    #[command(
        after_help = "Passwords: a file, of which the first line is taken, or `-` for the next line of \
                            standard input.\nExit codes: 0 the host has joined; 1 it has not; 2 the input was wrong."
    )]
    Join(Box<JoinArguments>),
}

#[derive(Args, Debug)]
struct JoinArguments {
    /// The host that is to join: its name or address, before it `http://` if it has no TLS, after it `:` and a
    /// port if that is another than usual.
    #[arg(long, value_name = "HOST")]
    joiner: String,
    /// The coordinator of the pool, in the same form.
    #[arg(long, value_name = "HOST")]
    pool: String,
    /// What the joiner is told the coordinator is called. Default: the host of --pool.
    #[arg(long, value_name = "ADDRESS")]
    coordinator: Option<String>,
    /// Account on both ends.
    #[arg(long, default_value = "root")]
    user: String,
    /// Its password on the joiner.
    #[arg(long, value_name = "FILE")]
    joiner_password: PathBuf,
    /// Its password in the pool.
    #[arg(long, value_name = "FILE")]
    pool_password: PathBuf,
    /// Account that may join hosts to the domain. Default: asked for when it is needed.
    #[arg(long, requires = "domain_password", value_name = "USER")]
    domain_user: Option<String>,
    /// Its password.
    #[arg(long, requires = "domain_user", value_name = "FILE")]
    domain_password: Option<PathBuf>,
    /// How certificates are copied.
    #[arg(long, value_enum, default_value = "sync")]
    copy: Copy,
    /// PEM file with the certificate that the joiner shows.
    #[arg(long, value_name = "FILE")]
    joiner_certificate: Option<PathBuf>,
    /// PEM file with the certificate that the coordinator shows.
    #[arg(long, value_name = "FILE")]
    pool_certificate: Option<PathBuf>,
    /// Believe any certificate where none is given.
    #[arg(long)]
    any_certificate: bool,
    /// Call `pool.join_force`.
    #[arg(long)]
    force: bool,
    /// Print one line of JSON when all is over.
    #[arg(long)]
    json: bool,
}

/// The calls by which certificates are copied.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Copy {
    /// landed: pool.sync_trusted_certificates_from on the joiner.
    Sync,
    /// design-v1, D1: pool.download_trusted_certificate for each.
    DownloadOne,
    /// design-v1, D2: pool.download_trusted_certificates with a list.
    DownloadList,
    /// design-v1, D3: pool.download_trusted_certificates with a purpose.
    DownloadByPurpose,
}

impl From<Copy> for Copying {
    fn from(copy: Copy) -> Self {
        match copy {
            Copy::Sync => Self::Sync,
            Copy::DownloadOne => Self::Download(Download::One),
            Copy::DownloadList => Self::Download(Download::List),
            Copy::DownloadByPurpose => Self::Download(Download::ByPurpose),
        }
    }
}

/// Carries out what is asked for.
pub(crate) fn client(arguments: &ClientArguments) -> Exit {
    let ClientCommand::Join(arguments) = &arguments.command;
    match plan(arguments) {
        Ok((plan, account)) => join(&plan, account, arguments.json),
        Err(complaint) => wrong_input(complaint),
    }
}

fn plan(arguments: &JoinArguments) -> Result<(JoinPlan, Option<DomainAccount>), String> {
    let (joiner, _) = login(
        arguments,
        &arguments.joiner,
        arguments.joiner_certificate.as_deref(),
        "--joiner-certificate",
        &arguments.joiner_password,
    )?;
    let (pool, host) = login(
        arguments,
        &arguments.pool,
        arguments.pool_certificate.as_deref(),
        "--pool-certificate",
        &arguments.pool_password,
    )?;
    let account = match (&arguments.domain_user, &arguments.domain_password) {
        (Some(user), Some(file)) => {
            Some(DomainAccount { user: user.clone(), password: password(file)? })
        }
        _ => None,
    };
    let plan = JoinPlan {
        joiner,
        pool,
        coordinator: arguments.coordinator.clone().unwrap_or(host),
        copying: arguments.copy.into(),
        force: arguments.force,
    };
    Ok((plan, account))
}

/// How to log in to one end, and the host that was named.
fn login(
    arguments: &JoinArguments,
    end: &str,
    certificate: Option<&Path>,
    option: &str,
    password_file: &Path,
) -> Result<(Login, String), String> {
    let (is_tls, rest) = match end.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        None => (true, end),
        Some(_) => {
            return Err(format!(
                "`{end}` is no host\n  help: write it as `https://192.0.2.7`, or with `http://`"
            ));
        }
    };
    let rest = rest.trim_end_matches('/');
    let port = if is_tls { 443 } else { 80 };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().map_err(|_| format!("`{port}` in `{end}` is no port"))?)
        }
        _ => (rest, port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let client = Client::new(address(&host, port)?).named(rest);
    let client = match (is_tls, certificate) {
        (false, _) => client,
        (true, Some(path)) => client.tls(Trust::Bundle(read(path)?)),
        (true, None) if arguments.any_certificate => client.tls(Trust::Nothing),
        (true, None) => {
            return Err(format!(
                "nothing says how {host} is to be known\n  help: give its certificate with {option}, or \
                 --any-certificate to believe whoever answers"
            ));
        }
    };
    let password = password(password_file)?;
    Ok((Login { client, user: arguments.user.clone(), password }, host))
}

fn address(host: &str, port: u16) -> Result<SocketAddr, String> {
    let found = (host, port).to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    found.into_iter().next().ok_or_else(|| format!("{host}: has no address"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

fn password(file: &Path) -> Result<Secret, String> {
    let text = if file == Path::new("-") { next_line() } else { read(file)? };
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

fn next_line() -> String {
    let mut text = String::new();
    // What cannot be read was not said.
    let _ = io::stdin().lock().read_line(&mut text);
    text.trim_end_matches(['\r', '\n']).to_owned()
}

fn join(plan: &JoinPlan, account: Option<DomainAccount>, json: bool) -> Exit {
    let mut steps = Vec::new();
    let mut watch = |step: &Step| {
        if json {
            steps.push(step.clone());
        } else {
            print(step);
        }
    };
    let mut ask = |domain: &str| account.clone().or_else(|| ask_user(domain));
    let ledger = Ledger::new(Clock::system());
    let trail = ledger.trail(Actor::Runner);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return Exit::Broke;
        }
    };
    let outcome = runtime.block_on(joining::join(plan, &mut ask, &mut watch, &trail));
    if json {
        let failure = outcome.as_ref().err();
        let left = failure.map(|failure| &failure.left).into_iter().flatten();
        let left: Vec<_> = left.map(ToString::to_string).collect();
        let error = failure.map(ToString::to_string);
        let steps: Vec<_> = steps.iter().map(json_of).collect();
        let joined = error.is_none();
        let all =
            json!({ "version": 1, "joined": joined, "error": error, "left": left, "steps": steps });
        line(all);
    }
    match outcome {
        Ok(()) => {
            if !json {
                line("the host has joined");
            }
            Exit::Held
        }
        Err(failure) => {
            if !json {
                line(format_args!("the host has not joined: {failure}"));
                for left in &failure.left {
                    line(format_args!("not undone: {left}"));
                }
            }
            Exit::DidNotHold
        }
    }
}

fn ask_user(domain: &str) -> Option<DomainAccount> {
    eprint!("account that may join hosts to {domain}: ");
    let user = next_line();
    if user.is_empty() {
        return None;
    }
    eprint!("its password (it is shown; --domain-password reads it from a file): ");
    Some(DomainAccount { user, password: Secret::new(next_line()) })
}

fn print(step: &Step) {
    let at = match step.at {
        Side::Joiner => "joiner",
        Side::Pool => "pool  ",
    };
    let params: Vec<_> =
        step.params.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    line(format_args!("{at}  {}({})", step.method, params.join(", ")));
    match &step.outcome {
        Ok(returned) if returned.is_empty() => {}
        Ok(returned) => line(format_args!("        = {returned}")),
        Err(error) => line(format_args!("        ! {}", error.join(" "))),
    }
}

fn json_of(step: &Step) -> serde_json::Value {
    let params: BTreeMap<_, _> = step.params.iter().cloned().collect();
    json!({
        "at": step.at,
        "method": step.method,
        "params": params,
        "returned": step.outcome.as_ref().ok(),
        "error": step.outcome.as_ref().err(),
    })
}
