//! What MIT Kerberos' programs print of a Samba AD DC, they print of ours, word for word: the cases
//! of `fixtures/kerberos/samba-4.22.6.txt`.
//!
//! Needs them (Debian: `krb5-user`). Without them the test says that it is skipped; with
//! `TRUSTRIG_REQUIRE_TOOLS=1` it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use fake_dc::{Dc, Domain};
use fake_dc_directory::Flavour;
use ground::Clock;
use tempfile::TempDir;

const TRANSCRIPT: &str = include_str!("../../../../fixtures/kerberos/samba-4.22.6.txt");
const ACCOUNTS: &str = include_str!("../../../../fixtures/kerberos/accounts.ldif");

/// Programs wait for each other's answers more than they work.
const AT_ONCE: usize = 4;

/// One case of the transcript.
#[derive(Debug, Default)]
struct Case {
    name: String,
    settings: String,
    password: String,
    command: String,
    /// What was printed, with the exit status.
    printed: String,
}

impl Case {
    fn read(text: &str) -> Self {
        let mut case = Self { password: "Passw0rd!Lab1".to_owned(), ..Self::default() };
        for line in text.lines() {
            if case.command.is_empty() {
                if let Some(name) = line.strip_prefix("== ") {
                    case.name = name.to_owned();
                } else if let Some(settings) = line.strip_prefix("settings: ") {
                    case.settings = settings.to_owned();
                } else if let Some(password) = line.strip_prefix("password: ") {
                    case.password = password.to_owned();
                } else if let Some(command) = line.strip_prefix("$ ") {
                    case.command = command.to_owned();
                }
            } else {
                writeln!(case.printed, "{line}").unwrap();
            }
        }
        case
    }

    /// What is printed of `dc`.
    fn run(&self, dc: &Dc) -> String {
        let folder = TempDir::new().unwrap();
        let config = self.write_config(folder.path(), dc);
        // One pipe for both, so that lines stand in the order in which they were printed.
        let (mut output, errors) = std::io::pipe().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .current_dir(folder.path())
            .env("KRB5_CONFIG", config)
            .env("KRB5CCNAME", folder.path().join("cc"))
            .env("KDC", dc.kdc().to_string())
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(errors.try_clone().unwrap())
            .stderr(errors)
            .spawn()
            .unwrap();
        // A program that asks for no password does not read.
        let _ = child.stdin.take().unwrap().write_all(format!("{}\n", self.password).as_bytes());
        let mut printed = String::new();
        // The command held the last other ends of the pipe, and has given them up when it ends.
        output.read_to_string(&mut printed).unwrap();
        let status = child.wait().unwrap().code().unwrap();
        let printed = printed.replace(&folder.path().display().to_string(), "FOLDER");
        let mut lines: String = printed.lines().filter_map(Self::plain).collect();
        writeln!(lines, "[{status}]").unwrap();
        lines
    }

    fn write_config(&self, folder: &Path, dc: &Dc) -> std::path::PathBuf {
        let settings = self.settings.replace("; ", "\n ");
        let config = format!(
            "[libdefaults]\n default_realm = LAB.EXAMPLE\n dns_lookup_kdc = false\n \
             dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n \
             {settings}\n[realms]\n LAB.EXAMPLE = {{\n  kdc = {}\n  kpasswd_server = {}\n }}\n\
             [domain_realm]\n .lab.example = LAB.EXAMPLE\n",
            dc.kdc(),
            dc.kpasswd()
        );
        let path = folder.join("krb5.conf");
        fs::write(&path, config).unwrap();
        path
    }

    /// A line without what differs from run to run; none if nothing is left.
    fn plain(line: &str) -> Option<String> {
        let line = match line.strip_prefix("Password for ").and_then(|rest| rest.split_once(": ")) {
            Some((_, rest)) => rest,
            None => line,
        };
        let line = without_dates(line.trim_end());
        let line = match line.split_once("Your password will expire in ") {
            Some((front, _)) => format!("{front}Your password will expire in DAYS."),
            None => line,
        };
        let line = match line.split_once("kvno = ") {
            Some((front, version)) if version.starts_with(|first| ('1'..='9').contains(&first)) => {
                let rest = version.trim_start_matches(|digit: char| digit.is_ascii_digit());
                format!("{front}kvno = N{rest}")
            }
            _ => line,
        };
        // A plugin of another package, where that is not installed.
        (!line.is_empty() && !line.contains("pkinit")).then(|| format!("{line}\n"))
    }
}

/// `11/22/26 06:31:30` becomes `DATE`.
fn without_dates(line: &str) -> String {
    const FORM: &[u8] = b"00/00/00 00:00:00";
    let is_date = |text: &[u8]| {
        text.iter().zip(FORM).all(|(found, form)| match form {
            b'0' => found.is_ascii_digit(),
            form => found == form,
        })
    };
    let mut text = line.to_owned();
    while let Some(place) = text.as_bytes().windows(FORM.len()).position(is_date) {
        text.replace_range(place..place + FORM.len(), "DATE");
    }
    text
}

#[test]
fn the_programs_of_mit_find_no_difference_to_samba() {
    if Command::new("kinit").arg("-V").stderr(Stdio::null()).output().is_err() {
        let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "kinit is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
        eprintln!("SKIPPED: kinit is not installed (Debian: apt-get install krb5-user)");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = Domain::builder("lab.example")
        .clock(Clock::system())
        .flavour(Flavour::Samba4_22)
        .ldif("accounts.ldif", ACCOUNTS);
    let domain = runtime.block_on(builder.start()).unwrap();
    let dc = domain.dc("dc1").unwrap();

    let cases: Vec<Case> = TRANSCRIPT.split("\n\n").map(Case::read).collect();
    assert!(cases.len() > 50);
    let differences = Mutex::new(String::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let printed = case.run(dc);
                    if printed != case.printed {
                        let Case { name, command, printed: expected, .. } = case;
                        let mut differences = differences.lock().unwrap();
                        writeln!(
                            differences,
                            "== {name}\n$ {command}\n-- of Samba:\n{expected}-- of ours:\n{printed}"
                        )
                        .unwrap();
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "{differences}");
    runtime.block_on(domain.stop());
}
