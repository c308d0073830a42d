//! A Samba AD DC of the test's own, as real as one can be had: domain lab.example, DC dc1.

use std::{
    fs::{self, Permissions},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fake_dc_pki::Chain;

pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

/// The DC. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct SambaDc {
    folder: PathBuf,
    running: Option<Child>,
}

/// Runs `samba-tool` without the step that gives the files of SYSVOL their NT ACLs, which wants a
/// file system of its liking. Nobody here reads SYSVOL.
const SAMBA_TOOL: &str = "\
import sys
import samba.provision
from samba.netcmd.main import samba_tool
samba.provision.setsysvolacl = lambda *arguments, **named: None
sys.exit(samba_tool(*sys.argv[1:]))
";

/// How long it may take to start. It takes one second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl SambaDc {
    /// Makes the domain in memory below `folder`, which takes two seconds.
    pub(crate) fn provision(folder: &Path, password: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        run("mount", &["-t", "tmpfs", "samba", &folder.display().to_string()]);
        for (address, bits) in [(ADDRESS, 24), (super::FRONT, 24)] {
            run("ip", &["address", "add", &format!("{address}/{bits}"), "dev", "lo"]);
        }
        // Where Debian's Samba keeps its sockets.
        fs::create_dir_all("/run/samba").unwrap();
        run("mount", &["-t", "tmpfs", "samba", "/run/samba"]);
        fs::create_dir_all("/run/samba/nmbd").unwrap();
        let script = folder.join("provision.py");
        fs::write(&script, SAMBA_TOOL).unwrap();
        let options = [
            "--realm=lab.example".to_owned(),
            "--domain=LAB".to_owned(),
            format!("--adminpass={password}"),
            "--server-role=dc".to_owned(),
            "--host-name=dc1".to_owned(),
            format!("--host-ip={ADDRESS}"),
            format!("--targetdir={}", folder.display()),
            "--dns-backend=SAMBA_INTERNAL".to_owned(),
        ];
        let provision = Command::new("/usr/bin/python3")
            .arg(&script)
            .args(["domain", "provision"])
            .args(options)
            .output()
            .unwrap();
        assert!(provision.status.success(), "{}", String::from_utf8_lossy(&provision.stderr));
        let dc = Self { folder: folder.to_owned(), running: None };
        dc.configure();
        // A DC that has just started does that in its own time; until then there are no tickets for
        // its LDAP.
        run("samba_spnupdate", &["-s", &dc.smb_conf().display().to_string()]);
        dc
    }

    /// Lets it listen at its own address alone, and keep all its files in its folder.
    fn configure(&self) {
        for name in ["run", "ncalrpc"] {
            fs::create_dir_all(self.folder.join(name)).unwrap();
        }
        let at = |name: &str| self.folder.join(name).display().to_string();
        let ours = format!(
            "[global]\n\
             interfaces = {ADDRESS}/24\n\
             bind interfaces only = yes\n\
             pid directory = {}\n\
             ncalrpc dir = {}\n",
            at("run"),
            at("ncalrpc"),
        );
        let text = fs::read_to_string(self.smb_conf()).unwrap();
        let theirs = text.lines().filter(|line| {
            let name = line.split('=').next().unwrap_or_default().trim();
            !["dns forwarder", "log file"].contains(&name)
        });
        let theirs: Vec<&str> = theirs.collect();
        fs::write(self.smb_conf(), theirs.join("\n").replacen("[global]\n", &ours, 1)).unwrap();
    }

    /// Starts it and waits until it takes connections to all that clients here need.
    pub(crate) fn start(&mut self) {
        let log = fs::File::create(self.folder.join("samba.log")).unwrap();
        let samba = Command::new("samba")
            .args(["--interactive", "--model=single", "--no-process-group", "-s"])
            .arg(self.smb_conf())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running = Some(samba);
        let end = Instant::now() + PATIENCE;
        for port in [53, 88, 135, 389, 445, 464, 636, 3_269] {
            let address = SocketAddr::from((ADDRESS, port));
            while TcpStream::connect_timeout(&address, PATIENCE).is_err() {
                assert!(Instant::now() < end, "samba does not start:\n{}", self.log());
                std::thread::yield_now();
            }
        }
    }

    /// Starts it anew with one more line in its smb.conf.
    pub(crate) fn restart_with(&mut self, line: &str) {
        self.stop();
        let text = fs::read_to_string(self.smb_conf()).unwrap();
        let text = text.replacen("[global]\n", &format!("[global]\n{line}\n"), 1);
        fs::write(self.smb_conf(), text).unwrap();
        self.start();
    }

    fn stop(&mut self) {
        if let Some(mut samba) = self.running.take() {
            crate::client::end(&mut samba);
        }
    }

    /// The CA that it has made for itself.
    pub(crate) fn ca_pem(&self) -> String {
        fs::read_to_string(self.tls("ca.pem")).unwrap()
    }

    /// Lets it show this chain, as an administrator does: files, and the order to read them.
    pub(crate) fn show(&self, chain: &Chain) {
        fs::write(self.tls("cert.pem"), chain.to_pem()).unwrap();
        fs::write(self.tls("key.pem"), chain.key.to_pem()).unwrap();
        fs::set_permissions(self.tls("key.pem"), Permissions::from_mode(0o600)).unwrap();
        let smb_conf = self.smb_conf().display().to_string();
        run("smbcontrol", &["-s", &smb_conf, "ldap_server", "reload-certs"]);
    }

    fn tls(&self, name: &str) -> PathBuf {
        self.folder.join("private/tls").join(name)
    }

    fn smb_conf(&self) -> PathBuf {
        self.folder.join("etc/smb.conf")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("samba.log")).unwrap_or_default()
    }
}

impl Drop for SambaDc {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a program that must succeed.
fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
}
