//! A server as it is started, asked and ended.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::{
    Failure,
    ldaps::{Client, Question, xapi_policy},
};

/// How long a server may take to answer, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to connect to a server that does not listen yet.
const PAUSE: Duration = Duration::from_micros(200);

/// What the file of a server says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// What to call it.
    pub(crate) name: String,
    /// The program and its arguments.
    command: Vec<String>,
    /// Where it listens for LDAPS.
    address: SocketAddr,
    /// The CA that its chain leads to.
    ca: PathBuf,
    /// The name that its certificate is for.
    peer: String,
    /// Who binds, with which password.
    user: String,
    password: String,
    /// Where searches begin.
    base: String,
}

impl Target {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
        serde_json::from_str(&text).map_err(|error| wrong(&error).into())
    }

    /// Starts it and waits for its answer to a first search; how long that took.
    pub(crate) fn start(&self) -> Result<(Server, Duration), Failure> {
        let question = Question::new(&self.user, &self.password, &self.base)?;
        let (program, arguments) = self.command.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What takes time in the client itself is done before.
        let client = Client::new(self.address, xapi_policy(&self.ca)?, &self.peer, question)?;
        let began = Instant::now();
        let process = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        // From here on it is ended, whatever comes.
        let mut server = Server { process, client };
        let took = loop {
            match server.client.probe() {
                Ok(()) => break began.elapsed(),
                Err(error) => server.must_live(&self.name, began, &error)?,
            }
            thread::sleep(PAUSE);
        };
        Ok((server, took))
    }
}

/// A server that runs. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    client: Client,
}

impl Server {
    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A client of it.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn must_live(
        &mut self,
        name: &str,
        began: Instant,
        error: &dyn std::fmt::Display,
    ) -> Result<(), Failure> {
        if let Some(status) = self.process.try_wait()? {
            return Err(format!("{name} has ended ({status})").into());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{name} does not answer: {error}").into());
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let end = Instant::now() + PATIENCE;
        if let Some(pid) = Pid::from_raw(self.process.id().cast_signed()) {
            // One that has ended needs no signal.
            let _ = kill_process(pid, Signal::TERM);
        }
        while Instant::now() < end {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
