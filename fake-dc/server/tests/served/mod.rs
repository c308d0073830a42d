//! The program `fake-dc serve` in a process of its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses some of these")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A served domain, and the lines that it printed up to the ready line.
pub(crate) struct Served {
    process: Child,
    pub(crate) lines: Vec<Value>,
}

impl Served {
    /// Serves `corp.example` with these arguments, at ports that no other test has, and waits until
    /// it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let usual = ["--domain", "corp.example", "--ports", "system"];
        Self::start_just(&[&usual, arguments].concat())
    }

    /// Serves with these arguments and no others, and waits until it is ready.
    pub(crate) fn start_just(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fake-dc"));
        command.arg("serve").args(arguments);
        Self::start_command(command)
    }

    /// Serves with this command, and waits until it is ready.
    pub(crate) fn start_command(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let ready = line["ready"] == true;
            lines.push(line);
            if ready {
                break;
            }
        }
        Self { process, lines }
    }

    /// The line of the DC of this number, from 0.
    pub(crate) fn dc(&self, number: usize) -> &Value {
        &self.lines[number]
    }

    /// The last line.
    pub(crate) fn ready(&self) -> &Value {
        self.lines.last().unwrap()
    }

    /// A port of a DC.
    pub(crate) fn port(&self, dc: usize, service: &str) -> u16 {
        u16::try_from(self.dc(dc)[service].as_u64().unwrap()).unwrap()
    }

    /// Bytes that it has resident.
    pub(crate) fn memory(&self) -> usize {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", self.process.id())).unwrap();
        let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
        pages * rustix::param::page_size()
    }

    /// Ends it with SIGTERM and returns the exit code.
    pub(crate) fn stop(self) -> Option<i32> {
        self.stop_with(Signal::TERM)
    }

    /// Ends it with SIGTERM and returns what it said on standard error.
    pub(crate) fn stop_and_hear(mut self) -> String {
        let mut stderr = self.process.stderr.take().unwrap();
        assert_eq!(self.stop(), Some(0));
        std::io::read_to_string(&mut stderr).unwrap()
    }

    /// Ends it with `signal` and returns the exit code.
    pub(crate) fn stop_with(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        self.process.wait().unwrap().code()
    }
}

/// A test that fails in the middle leaves no process behind.
impl Drop for Served {
    fn drop(&mut self) {
        // It has ended where the test went as it should.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
