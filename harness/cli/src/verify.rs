//! `trustrig verify`: one chain, or one live server, judged as Samba and GnuTLS judge.

use std::{
    fmt::Display,
    fs::File,
    io::{self, IsTerminal as _, Read, Write as _},
    net::ToSocketAddrs as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use ground::{Clock, Timestamp};
use sim_host::{
    HostRoot, Report,
    samba::{CaptureError, TlsSettings, TrustPath, capture},
};
use trust_verdict::{
    Class, Client, PeerName, Presented, SAMBA_PRIORITY, TlsVersion, Verdict, VerifyPeer,
    XAPI_PRIORITY,
};

/// What is said below the help of the sub-command.
pub(crate) const AFTER_HELP: &str = "\
Exit codes: 0 accept; 1 reject; 2 tls_error, verify_error, binding_error or config_error; \
3 trustrig broke; 64 the input was wrong; 69 --connect reached no server.

With --json the last line on stdout is one object with, at least: verdict, status (such as \
\"0x4002\"; \"0x0\" if no bit is set), ntstatus, gnutls, stderr, xapi_error (null if accepted), \
reasons, advice, other_modes.";

/// Where a host keeps its smb.conf.
const SMB_CONF: &str = "etc/samba/smb.conf";
/// What to think of a failed handshake whose offer was cut.
const NARROWED: &str = "the real client might have succeeded: this priority also offers what \
                        trustrig's handshake lacks (TLS 1.0 and 1.1, CBC, static RSA, finite fields)";
/// What to think of a configuration that seals.
const NO_TLS: &str = "with its `client ldap sasl wrapping`, this configuration does not use TLS";
/// Largest chain that is read.
const CHAIN_BYTES_MAX: u64 = 16 << 20;

/// Arguments of `trustrig verify`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("server").required(true).args(["chain", "connect"]))]
pub(crate) struct VerifyArguments {
    /// The chain as the server sends it, leaf first: PEM, DER, PKCS#7 (in the order of the file)
    /// or the text of `openssl s_client -showcerts`; `-` reads standard input.
    #[arg(value_name = "CHAIN")]
    chain: Option<PathBuf>,
    /// Fetch the chain from a live server, with the handshake of the priority string.
    #[arg(long, value_name = "HOST:PORT", value_parser = Server::parse)]
    connect: Option<Server>,
    /// The name the DC gives itself in its netlogon answer, which Samba verifies. Needed unless
    /// the mode is no_check or ca_only.
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,
    /// `tls verify peer` [default: ca_and_name_if_available].
    #[arg(long, value_name = "MODE")]
    mode: Option<VerifyPeer>,
    /// `tls cafile`. As for Samba, a missing file is no error.
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,
    /// `tls ca directories`; may be given several times.
    #[arg(long = "cadir", value_name = "DIR")]
    cadirs: Vec<PathBuf>,
    /// `tls crlfile`.
    #[arg(long, value_name = "FILE")]
    crlfile: Option<PathBuf>,
    /// The bundle of `tls trust system cas = yes` [default: no].
    #[arg(long, value_name = "FILE")]
    system_cas: Option<PathBuf>,
    /// `tls priority`: xapi for the string xapi writes, default for Samba's, or a string
    /// [default: xapi].
    #[arg(long, value_name = "STRING")]
    priority: Option<String>,
    /// Take what is not given here from this smb.conf.
    #[arg(long, value_name = "FILE")]
    smb_conf: Option<PathBuf>,
    /// Look below this root of a host for the files that its smb.conf names [default: /]. Without
    /// --smb-conf its etc/samba/smb.conf is taken.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Time of the judgement, such as 2026-08-21T02:00:23Z [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Version of the handshake that sent the chain [default: the highest the priority offers].
    #[arg(long, value_name = "VERSION", conflicts_with = "connect")]
    tls: Option<Tls>,
    /// Samba's debug level, for its words.
    #[arg(long, value_name = "N", default_value_t = 2)]
    debug_level: u8,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tls {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
}

/// `HOST:PORT`.
#[derive(Clone, Debug)]
struct Server(String);

impl Server {
    fn parse(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        if host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port != 0) {
            return Err("expected HOST:PORT, such as dc1.corp.example:636".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// How `trustrig verify` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum VerifyExit {
    /// The client goes on to LDAP.
    Accept = 0,
    /// Verification says no.
    Reject = 1,
    /// The handshake, the verification or the client's configuration fails.
    Failure = 2,
    /// We broke.
    Broke = 3,
    /// The input was wrong: `EX_USAGE` of sysexits(3).
    WrongInput = 64,
    /// There is no server to judge: `EX_UNAVAILABLE` of sysexits(3).
    Unreachable = 69,
}

impl From<VerifyExit> for ExitCode {
    fn from(exit: VerifyExit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Class> for VerifyExit {
    fn from(class: Class) -> Self {
        match class {
            Class::Accept => Self::Accept,
            Class::Reject => Self::Reject,
            Class::BindingError | Class::ConfigError | Class::TlsError | Class::VerifyError => {
                Self::Failure
            }
        }
    }
}

/// Judges, prints, and says how it ended.
pub(crate) fn verify(arguments: &VerifyArguments) -> VerifyExit {
    match judge(arguments).and_then(|report| {
        print(&report, arguments.json)?;
        Ok(report.verdict().class.into())
    }) {
        Ok(exit) => exit,
        Err(Failed { exit, complaints }) => {
            for complaint in complaints {
                eprintln!("error: {complaint}");
            }
            exit
        }
    }
}

/// No verdict, and why.
struct Failed {
    exit: VerifyExit,
    complaints: Vec<String>,
}

impl Failed {
    fn new(exit: VerifyExit, complaint: impl Display) -> Self {
        Self { exit, complaints: vec![complaint.to_string()] }
    }

    fn wrong_input(complaint: impl Display) -> Self {
        Self::new(VerifyExit::WrongInput, complaint)
    }
}

fn judge(arguments: &VerifyArguments) -> Result<Report, Failed> {
    let settings = settings(arguments)?;
    let peer = match &arguments.peer {
        Some(peer) => PeerName::new(peer),
        None if settings.mode <= VerifyPeer::CaOnly => PeerName::new(""),
        None => {
            let mode = settings.mode;
            return Err(Failed::wrong_input(format_args!(
                "`tls verify peer = {mode}` needs a name to verify\n  help: give --peer NAME, the \
                 name in the DC's netlogon answer"
            )));
        }
    };
    let at = arguments.at.unwrap_or_else(|| Timestamp::from_unix(Clock::system().now().unix()));
    let chain = arguments.chain.as_deref().map(|path| Ok((path, read_chain(path)?))).transpose()?;
    let (config, unreadable) = settings.read();
    if !unreadable.is_empty() {
        let complaints = unreadable.iter().map(ToString::to_string).collect();
        return Err(Failed { exit: VerifyExit::WrongInput, complaints });
    }
    let client = Client::new(config);
    let version = match (arguments.tls, &client) {
        (Some(Tls::Tls12), _) => TlsVersion::Tls12,
        (Some(Tls::Tls13), _) => TlsVersion::Tls13,
        (None, Ok(client)) => {
            client.offer().versions.iter().copied().max().unwrap_or(TlsVersion::Tls12)
        }
        (None, Err(_)) => TlsVersion::Tls12,
    };
    // A chain that cannot be read is wrong input even if the configuration fails before it counts.
    let presented = chain
        .map(|(path, bytes)| {
            Presented::from_bytes(&bytes, version).map_err(|error| {
                Failed::wrong_input(format_args!("{}: failed to {error}", path.display()))
            })
        })
        .transpose()?;
    let report = |verdict: Verdict| Report::new(verdict, arguments.debug_level);
    let report = match (&client, presented, &arguments.connect) {
        (Err(error), _, _) => report(error.verdict(&peer, at)),
        (Ok(client), Some(presented), _) => report(client.judge(&peer, &presented, at))
            .compared(client.compare(&peer, &presented, at)),
        (Ok(client), None, Some(server)) => live(client, server, &peer, at, &report)?,
        (Ok(_), None, None) => return Err(Failed::wrong_input("no chain is given")),
    };
    let report = settings.warnings.into_iter().fold(report, Report::noted);
    Ok(if settings.uses_tls { report } else { report.noted(NO_TLS) })
}

/// What smb.conf says, if there is one, and what the arguments say before it.
fn settings(arguments: &VerifyArguments) -> Result<TlsSettings, Failed> {
    let mut settings = match (&arguments.smb_conf, &arguments.root) {
        (None, None) => TlsSettings::xapi(),
        (Some(path), None) => smb_conf(path, Path::new("/"))?,
        (None, Some(root)) => smb_conf(&root.join(SMB_CONF), root)?,
        (Some(path), Some(root)) => smb_conf(path, root)?,
    };
    if let Some(mode) = arguments.mode {
        settings.mode = mode;
    }
    if let Some(path) = &arguments.cafile {
        settings.cafile = Some(TrustPath::of_machine(path));
    }
    if !arguments.cadirs.is_empty() {
        settings.ca_directories = arguments.cadirs.iter().map(TrustPath::of_machine).collect();
    }
    if let Some(path) = &arguments.system_cas {
        settings.system_cas = vec![TrustPath::of_machine(path)];
    }
    if let Some(path) = &arguments.crlfile {
        settings.crlfile = Some(TrustPath::of_machine(path));
    }
    match arguments.priority.as_deref() {
        None => {}
        Some("default") => settings.priority = SAMBA_PRIORITY.to_owned(),
        Some("xapi") => settings.priority = XAPI_PRIORITY.to_owned(),
        Some(other) => settings.priority = other.to_owned(),
    }
    Ok(settings)
}

fn smb_conf(path: &Path, root: &Path) -> Result<TlsSettings, Failed> {
    if !root.is_dir() {
        return Err(Failed::wrong_input(format_args!("{}: no such directory", root.display())));
    }
    let root = HostRoot::open(root).map_err(Failed::wrong_input)?;
    let text = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    TlsSettings::from_smb_conf(&String::from_utf8_lossy(&text), &root).map_err(Failed::wrong_input)
}

fn read_chain(path: &Path) -> Result<Vec<u8>, Failed> {
    let read = |input: &mut dyn Read| {
        let mut bytes = Vec::new();
        input.take(CHAIN_BYTES_MAX + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = if path == Path::new("-") {
        read(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    };
    let bytes = bytes.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > CHAIN_BYTES_MAX {
        let path = path.display();
        let limit = format!("{path}: more than {CHAIN_BYTES_MAX} bytes is no chain");
        return Err(Failed::wrong_input(limit));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Failed {
    Failed::wrong_input(format_args!("{}: cannot be read: {error}", path.display()))
}

/// Fetches the chain and judges it; a failed handshake is a verdict as well.
fn live(
    client: &Client,
    server: &Server,
    peer: &PeerName,
    at: Timestamp,
    report: &dyn Fn(Verdict) -> Report,
) -> Result<Report, Failed> {
    let broke = |error: io::Error| Failed::new(VerifyExit::Broke, error);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broke)?;
    let unreachable = |error: &dyn Display| {
        Failed::new(VerifyExit::Unreachable, format_args!("{}: failed to {error}", server.0))
    };
    let addresses = server
        .0
        .to_socket_addrs()
        .map_err(|error| unreachable(&format_args!("resolve the name: {error}")))?
        .collect::<Vec<_>>();
    match runtime.block_on(capture(client, &addresses, peer, at)) {
        Ok(presented) => Ok(report(client.judge(peer, &presented, at))
            .compared(client.compare(peer, &presented, at))),
        Err(CaptureError::Handshake { failure, cause, narrowed }) => {
            let judged = report(client.handshake_failure(peer, failure, at)).noted(cause);
            Ok(if narrowed { judged.noted(NARROWED) } else { judged })
        }
        Err(error) => Err(unreachable(&error)),
    }
}

fn print(report: &Report, json: bool) -> Result<(), Failed> {
    let broke = |error: &dyn Display| {
        Failed::new(VerifyExit::Broke, format_args!("failed to write the report: {error}"))
    };
    let text = if json {
        serde_json::to_string(report).map_err(|error| broke(&error))? + "\n"
    } else {
        readable(&report.to_string(), io::stdout().is_terminal())
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that has seen enough, such as `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| broke(&error)),
    }
}

/// Certificates come from strangers: no control character reaches a terminal. Faults are red on
/// one that has colours.
fn readable(text: &str, on_terminal: bool) -> String {
    let is_bad = |c: char| c.is_control();
    let lines = text.lines().map(|line| {
        let line = line.replace(is_bad, "\u{fffd}");
        if on_terminal && line.trim_start().starts_with('✗') {
            format!("\x1b[31m{line}\x1b[0m\n")
        } else {
            line + "\n"
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_write_to_the_terminal() {
        let text = "CN=\x1b[2J\r\n  ✗ signer\n";
        assert_eq!(readable(text, false), "CN=\u{fffd}[2J\n  ✗ signer\n");
        assert_eq!(readable(text, true), "CN=\u{fffd}[2J\n\x1b[31m  ✗ signer\x1b[0m\n");
    }
}
