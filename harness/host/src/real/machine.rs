//! What the machine must have for the real programs, and how to get the rights.

use std::{env, path::PathBuf, process::Command};

/// Set in the environment of a program that runs in namespaces of its own.
const INSIDE: &str = "TRUSTRIG_NAMESPACE";
/// What makes the namespaces: users and groups, network, mounts.
const UNSHARE: [&str; 3] = ["--map-root-user", "--net", "--mount"];
/// The version whose words the model has, too.
const VERSION: &str = "Version 4.22";

/// Where programs are found, on the machine and on a host.
pub(super) const PROGRAMS: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Why the real programs cannot be run on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// A program is not installed.
    #[error("`{program}` is missing")]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// No namespaces for users without privileges.
    #[error("this machine lets this user make no network namespace: {cause}")]
    Namespaces {
        /// What `unshare` says.
        cause: String,
    },
    /// Another version of Samba.
    #[error("`net` is not of Samba 4.22 but says `{found}`")]
    Version {
        /// What `net --version` prints.
        found: String,
    },
}

impl Unavailable {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing { package, .. } => format!("apt-get install {package}"),
            Self::Namespaces { .. } => {
                "run as root, or allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`; \
                 on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container \
                 `--privileged`)"
                    .to_owned()
            }
            Self::Version { .. } => "install samba-common-bin of Debian 13, or of the backports of \
                                     Debian 12: words differ from version to version"
                .to_owned(),
        }
    }
}

/// What this machine lacks, if anything.
pub fn unavailable() -> Option<Unavailable> {
    for (program, package) in [
        ("net", "samba-common-bin"),
        ("tdbrestore", "tdb-tools"),
        ("ip", "iproute2"),
        ("unshare", "util-linux"),
        ("chroot", "coreutils"),
    ] {
        if !is_installed(program) {
            return Some(Unavailable::Missing { program, package });
        }
    }
    if faketime().is_none() {
        return Some(Unavailable::Missing { program: "libfaketime", package: "faketime" });
    }
    let version = Command::new("net").arg("--version").output();
    let found = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match found {
        Ok(found) if found.starts_with(VERSION) => {}
        Ok(found) => return Some(Unavailable::Version { found }),
        Err(_) => {
            return Some(Unavailable::Missing { program: "net", package: "samba-common-bin" });
        }
    }
    if is_inside() {
        return None;
    }
    match Command::new("unshare").args(UNSHARE).arg("true").output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let cause = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Some(Unavailable::Namespaces { cause })
        }
        Err(error) => Some(Unavailable::Namespaces { cause: error.to_string() }),
    }
}

/// The command that runs this program once more, with the rights that a
/// [`Namespace`](super::Namespace) needs: as the root of a user namespace, with a network and mounts
/// of its own. The caller adds the arguments. `None` if that has been done.
pub fn inside() -> Option<Command> {
    if is_inside() {
        return None;
    }
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    let mut command = Command::new("unshare");
    command.args(UNSHARE).args(["--", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]);
    command.arg(program).env(INSIDE, "1");
    Some(command)
}

fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// The library that gives a program another time.
pub(super) fn faketime() -> Option<PathBuf> {
    let found = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found
        .chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")])
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .filter(|library| library.exists())
        .collect();
    found.sort();
    found.into_iter().next()
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(env::split_paths(PROGRAMS))
        .any(|folder| folder.join(program).is_file())
}
