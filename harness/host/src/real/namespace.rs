//! Where the real programs of one host run: a thread whose `/` is the host's root directory, and
//! which may have a network of its own.
//!
//! Linux gives namespaces to threads. What the thread starts, and every socket that it opens, is in
//! them; the rest of this process is not. They end with the thread and its programs.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
};

use ground::Transport;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    unistd::sethostname,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::JoinError,
};

use crate::HostRoot;

/// What every host has of its own: mounts, and a host name.
const SEPARATE: CloneFlags = CloneFlags::CLONE_NEWNS.union(CloneFlags::CLONE_NEWUTS);

/// The namespaces of one host. Dropping it ends its programs.
#[derive(Debug)]
pub struct Namespace {
    root: PathBuf,
    runtime: Handle,
    /// The thread lives until this is dropped.
    _stop: oneshot::Sender<()>,
}

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {source}")]
pub struct NamespaceError {
    /// What was tried.
    action: String,
    /// What the system says.
    source: io::Error,
}

impl Namespace {
    /// Programs see the files of `root`, and the network of the caller.
    ///
    /// # Errors
    ///
    /// Without the rights of [`inside()`](super::inside), or if a file is in the way.
    pub fn with_shared_network(root: &HostRoot, hostname: &str) -> Result<Self, NamespaceError> {
        Self::start(root, hostname, SEPARATE)
    }

    /// Programs see the files of `root`, and a network that has nothing but a loopback interface,
    /// on which all of 127.0.0.0/8 and every port are free.
    ///
    /// # Errors
    ///
    /// As [`Self::with_shared_network`].
    pub fn with_own_network(root: &HostRoot, hostname: &str) -> Result<Self, NamespaceError> {
        Self::start(root, hostname, SEPARATE | CloneFlags::CLONE_NEWNET)
    }

    fn start(root: &HostRoot, hostname: &str, flags: CloneFlags) -> Result<Self, NamespaceError> {
        let root = root.directory().to_path_buf();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let (at, hostname) = (root.clone(), hostname.to_owned());
        thread::Builder::new()
            .name("host".to_owned())
            .spawn(move || match enter(&at, &hostname, flags) {
                Ok(runtime) => {
                    let _ = tell.send(Ok(runtime.handle().clone()));
                    let _ = runtime.block_on(stopped);
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            })
            .map_err(failed("start a thread"))?;
        let runtime = told.recv().map_err(io::Error::other).map_err(failed("start a thread"))??;
        Ok(Self { root, runtime, _stop: stop })
    }

    /// A socket for IPv4 in this network. It is neither bound nor connected.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn socket(&self, transport: Transport) -> io::Result<Socket> {
        let (kind, protocol) = match transport {
            Transport::Tcp => (Type::STREAM, Protocol::TCP),
            Transport::Udp => (Type::DGRAM, Protocol::UDP),
        };
        let (tell, told) = mpsc::channel();
        self.runtime.spawn(async move {
            let _ = tell.send(Socket::new(Domain::IPV4, kind, Some(protocol)));
        });
        told.recv().map_err(io::Error::other)?
    }

    /// Does `work` there.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        self.runtime.spawn(work).await
    }

    /// The directory that is `/` to its programs.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

/// Makes the namespaces of the calling thread.
fn enter(
    root: &Path,
    hostname: &str,
    flags: CloneFlags,
) -> Result<tokio::runtime::Runtime, NamespaceError> {
    if root == Path::new("/") {
        let source = io::Error::other("the machine's own root directory is no host's");
        return Err(failed("enter the host's root directory")(source));
    }
    unshare(flags).map_err(|error| failed("make namespaces")(error.into()))?;
    // From here on nothing that is mounted here is seen elsewhere.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(|error| failed("keep mounts apart")(error.into()))?;
    // Heimdal guesses the default realm from it and /etc/hosts.
    sethostname(hostname).map_err(|error| failed("set the host name")(error.into()))?;
    bind(root, root)?;
    furnish(root)?;
    if flags.contains(CloneFlags::CLONE_NEWNET) {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        let up = up.and_then(|status| match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("`ip link set lo up`: {status}"))),
        });
        up.map_err(failed("set up the loopback interface"))?;
    }
    Builder::new_current_thread().enable_all().build().map_err(failed("start a runtime"))
}

/// What a program finds on any machine: the machine's own programs and devices, and directories
/// that Debian's Samba expects.
fn furnish(root: &Path) -> Result<(), NamespaceError> {
    for name in ["usr", "dev", "proc"] {
        let here = root.join(name);
        fs::create_dir_all(&here).map_err(failed(format!("create {}", here.display())))?;
        bind(&Path::new("/").join(name), &here)?;
    }
    // libfaketime leaves its semaphores there when a program is killed.
    let memory = root.join("dev/shm");
    mount(Some("tmpfs"), &memory, Some("tmpfs"), MsFlags::empty(), None::<&str>)
        .map_err(|error| failed(format!("mount {}", memory.display()))(error.into()))?;
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let (there, here) = (Path::new("/").join(name), root.join(name));
        match fs::read_link(&there) {
            Ok(target) => link(&target, &here)?,
            Err(_) if there.is_dir() => {
                fs::create_dir_all(&here).map_err(failed(format!("create {}", here.display())))?;
                bind(&there, &here)?;
            }
            Err(_) => {}
        }
    }
    for name in ["tmp", "run/samba", "var/cache/samba", "var/lib/samba/private", "etc/ssl/certs"] {
        let here = root.join(name);
        fs::create_dir_all(&here).map_err(failed(format!("create {}", here.display())))?;
    }
    // Debian's GnuTLS reads the system's CAs there; XenServer has them where Red Hat has.
    let cas = Path::new("../../pki/tls/certs/ca-bundle.crt");
    link(cas, &root.join("etc/ssl/certs/ca-certificates.crt"))
}

fn bind(from: &Path, to: &Path) -> Result<(), NamespaceError> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>)
        .map_err(|error| failed(format!("mount {}", to.display()))(error.into()))
}

/// Leaves what is there.
fn link(target: &Path, here: &Path) -> Result<(), NamespaceError> {
    match symlink(target, here) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed(format!("create {}", here.display()))(error))
        }
        _ => Ok(()),
    }
}

fn failed(action: impl Into<String>) -> impl FnOnce(io::Error) -> NamespaceError {
    let action = action.into();
    move |source| NamespaceError { action, source }
}
