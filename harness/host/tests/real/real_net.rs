//! The real `net`, run with the files of a simulated host.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use sim_host::{Credentials, Output, SambaCommand};
use tokio::{process::Command, time::timeout};

/// How long the real program is waited for: silence of 636, of LDAP and of CLDAP costs it less,
/// silence of a KDC, of DNS and of a handshake more (`real-client-wire.md`, last table).
const PATIENCE: Duration = Duration::from_secs(28);

/// `net` as a host with these files would run it.
pub(crate) struct RealNet {
    folder: PathBuf,
}

impl RealNet {
    /// For the host whose root is `root`. smb.conf names files by their paths on the host: here
    /// they get the root in front.
    pub(crate) fn new(root: &Path, name_server: IpAddr) -> Self {
        let folder = root.join("real");
        let at = |name: &str| {
            let path = folder.join(name);
            fs::create_dir_all(&path).unwrap();
            path.display().to_string()
        };
        let text = fs::read_to_string(root.join("etc/samba/smb.conf")).unwrap();
        fs::write(root.join("etc/samba/smb.extra.conf"), "").unwrap();
        let mut text = text;
        for path in ["/etc/trusted-certs", "/etc/samba"] {
            text = text.replace(path, &format!("{}{path}", root.display()));
        }
        for name in ["private dir", "lock directory", "state directory", "cache directory"] {
            text += &format!("{name} = {}\n", at(name));
        }
        fs::write(folder.join("smb.conf"), text).unwrap();
        let krb5 = "[libdefaults]\n dns_lookup_kdc = true\n dns_lookup_realm = false\n \
                    default_realm = LAB.EXAMPLE\n";
        fs::write(folder.join("krb5.conf"), krb5).unwrap();
        fs::write(folder.join("resolv.conf"), format!("nameserver {name_server}\n")).unwrap();
        Self { folder }
    }

    /// What it prints; `None` if it has not ended after [`PATIENCE`].
    pub(crate) async fn run(&self, command: &SambaCommand) -> Option<Output> {
        let SambaCommand::AdsSearch { server, credentials, filter, attributes } = command else {
            panic!("only searches are run here");
        };
        // The resolver of the C library reads one file, so each program gets its own there.
        let mut net = Command::new("unshare");
        net.args(["--mount", "sh", "-c"])
            .arg("mount --bind \"$0\" /etc/resolv.conf && exec net \"$@\"")
            .arg(self.folder.join("resolv.conf"))
            .args(["ads", "search", "-d", "2", "--server", &server.to_string(), "-s"])
            .arg(self.folder.join("smb.conf"))
            .arg(filter)
            .args(attributes)
            .env("KRB5_CONFIG", self.folder.join("krb5.conf"))
            .env("KRB5CCNAME", self.folder.join("ccache"))
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        match credentials {
            Credentials::Machine => net.arg("--machine-pass"),
            Credentials::User { user, password } => {
                net.env("USER", user).env("PASSWD", password.expose())
            }
        };
        let output = timeout(PATIENCE, net.kill_on_drop(true).output()).await.ok()?.unwrap();
        Some(Output {
            exit: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
    }
}
