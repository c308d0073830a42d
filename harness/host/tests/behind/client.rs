//! A member of the domain: the real programs, with the smb.conf that xapi writes.

use std::{
    fs,
    io::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{FRONT, PASSWORD};

pub(crate) const SMB_CONF: &str = include_str!("../../../../fixtures/samba-client/smb.conf");
/// What xapi's probe searches for.
pub(crate) const FILTER: &str = "(|(sAMAccountName=krbtgt)(name=krbtgt))";

/// How long winbindd may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// The member. Its programs see its own `/etc/resolv.conf` and `/run/samba`.
#[derive(Debug)]
pub(crate) struct Member {
    folder: PathBuf,
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    /// For who reads it in a failure.
    _line: String,
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Member {
    /// A machine that asks the name server at `name_server` and trusts this CA.
    pub(crate) fn new(folder: &Path, name_server: Ipv4Addr, ca: &str) -> Self {
        let at = |name: &str| folder.join(name).display().to_string();
        for name in ["private", "lock", "state", "cache", "pid", "run/winbindd"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        fs::write(folder.join("ca.pem"), ca).unwrap();
        let mut smb_conf = SMB_CONF
            .replace("/etc/trusted-certs/ca-bundle-ldaps.pem", &at("ca.pem"))
            .replace("/etc/krb5.keytab", &at("krb5.keytab"))
            .replace("include = /etc/samba/smb.extra.conf\n", "");
        for (name, place) in [
            ("private dir", "private"),
            ("lock directory", "lock"),
            ("state directory", "state"),
            ("cache directory", "cache"),
            ("pid directory", "pid"),
            ("ncalrpc dir", "run/ncalrpc"),
            ("log file", "log.%m"),
        ] {
            smb_conf += &format!("{name} = {}\n", at(place));
        }
        fs::write(folder.join("smb.conf"), smb_conf).unwrap();
        let krb5_conf = "[libdefaults]\n dns_lookup_realm = false\n rdns = false\n \
                         default_realm = LAB.EXAMPLE\n";
        fs::write(folder.join("krb5.conf"), krb5_conf).unwrap();
        fs::write(folder.join("resolv.conf"), format!("nameserver {name_server}\n")).unwrap();
        Self { folder: folder.to_owned() }
    }

    /// The search of xapi's probe, as Administrator.
    pub(crate) fn search(&self) -> Said {
        let server = FRONT.to_string();
        self.net(&["ads", "search", "-d", "2", "--server", &server, FILTER, "objectSid"])
    }

    /// `net`, as Administrator unless the arguments say otherwise.
    pub(crate) fn net(&self, arguments: &[&str]) -> Said {
        let smb_conf = self.folder.join("smb.conf").display().to_string();
        self.run("net", &[arguments, &["-s", &smb_conf]].concat())
    }

    /// `wbinfo`, which asks winbindd.
    pub(crate) fn wbinfo(&self, arguments: &[&str]) -> Said {
        self.run("wbinfo", arguments)
    }

    /// Starts winbindd and waits until it answers.
    pub(crate) fn start_winbind(&self) -> Winbind {
        let log = fs::File::create(self.folder.join("winbindd.log")).unwrap();
        let child = self
            .command("winbindd", &["--foreground", "--no-process-group", "-s"])
            .arg(self.folder.join("smb.conf"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let winbind = Winbind(child);
        let end = Instant::now() + PATIENCE;
        while self.wbinfo(&["-p"]).exit != 0 {
            let log = || fs::read_to_string(self.folder.join("winbindd.log")).unwrap();
            assert!(Instant::now() < end, "winbindd does not start:\n{}", log());
        }
        winbind
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Said {
        self.run_with_input(program, arguments, "")
    }

    /// The same with this on its standard input.
    pub(crate) fn run_with_input(&self, program: &str, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(program, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may have ended by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            _line: format!("{program} {}", arguments.join(" ")),
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let at = |name: &str| self.folder.join(name);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c"])
            .arg(
                "mount --bind \"$0\" /etc/resolv.conf && mount --bind \"$1\" /run/samba && \
                 shift && exec \"$@\"",
            )
            .args([at("resolv.conf"), at("run")])
            .arg(program)
            .args(arguments)
            .env("KRB5_CONFIG", at("krb5.conf"))
            .env("KRB5CCNAME", at("ccache"))
            .env("LDAPTLS_CACERT", at("ca.pem"))
            .env("USER", "Administrator")
            .env("PASSWD", PASSWORD)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }
}

impl Said {
    /// Fails unless the program has succeeded and printed `words`.
    #[track_caller]
    pub(crate) fn prints(&self, words: &str) {
        let is_there = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(self.exit == 0 && is_there, "no success with `{words}`: {self:#?}");
    }

    /// Fails unless the program has failed and printed `words`.
    #[track_caller]
    pub(crate) fn fails(&self, words: &str) {
        let is_there = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(self.exit != 0 && is_there, "no failure with `{words}`: {self:#?}");
    }

    pub(crate) fn decisive(&self) -> String {
        decisive(self.exit, &self.stdout, &self.stderr)
    }
}

/// Beginnings of lines that depend on the machine, or explain how bytes that are none of netlogon
/// failed to be read.
const NOISE: [&str; 5] = [
    "added interface",
    "Registered MSG_REQ",
    "return code",
    "ndr_pull",
    "failed to parse netlogon response",
];

/// What xapi can see of an output, without what differs between two processes.
pub(crate) fn decisive(exit: i32, stdout: &str, stderr: &str) -> String {
    let is_noise = |line: &str| NOISE.iter().any(|noise| line.starts_with(noise));
    let stderr: Vec<&str> = stderr.lines().filter(|line| !is_noise(line)).collect();
    format!("exit {exit}\n{}\n{}", stdout.trim(), stderr.join("\n"))
}

/// Ends a daemon with SIGTERM, so that it ends its children, too.
pub(crate) fn end(daemon: &mut Child) {
    // It may have ended by itself.
    let _ = kill_process(Pid::from_child(daemon), Signal::TERM);
    let _ = daemon.wait();
}

/// A winbindd. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Winbind(Child);

impl Winbind {
    /// Ends it.
    pub(crate) fn end(self) {}
}

impl Drop for Winbind {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}
