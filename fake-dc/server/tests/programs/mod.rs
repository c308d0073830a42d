//! Real programs as clients: what they print, and how they end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(dead_code, reason = "each test file uses some of these")]

use std::{
    fmt,
    io::Write as _,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

/// True if the program is there; says so if it is not.
pub(crate) fn has(program: &str, package: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let missing = format!("{program} is not installed (Debian: apt-get install {package})");
    given(command.status().is_ok(), &missing)
}

/// True if the machine has what a test needs; says what is `missing` if it has not.
pub(crate) fn given(has: bool, missing: &str) -> bool {
    let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(has || !required, "{missing}, and TRUSTRIG_REQUIRE_TOOLS is set");
    if !has {
        eprintln!("SKIPPED: {missing}");
    }
    has
}

/// A program that is going to run.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    command: Command,
    input: String,
    replaced: Vec<(String, String)>,
}

impl Program {
    pub(crate) fn new(name: &str) -> Self {
        let mut command = Command::new(name);
        command.env("LC_ALL", "C");
        Self { name: name.to_owned(), command, input: String::new(), replaced: Vec::new() }
    }

    pub(crate) fn arguments<A: AsRef<str>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.command.args(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads.
    pub(crate) fn input(mut self, input: &str) -> Self {
        self.input = input.to_owned();
        self
    }

    /// Puts something that is the same in every run in the place of what is not.
    pub(crate) fn replacing(mut self, accident: &str, by: &str) -> Self {
        self.replaced.push((accident.to_owned(), by.to_owned()));
        self
    }

    pub(crate) fn run(mut self) -> Run {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        // A program that reads nothing may have closed its end.
        let _ = child.stdin.take().unwrap().write_all(self.input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.replaced.iter().fold(text, |text, (accident, by)| text.replace(accident, by))
        };
        Run {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            exit: output.status.code().unwrap_or(-1),
        }
    }
}

/// What a program printed, and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        for line in self.stderr.lines() {
            writeln!(f, "stderr: {line}")?;
        }
        writeln!(f, "exit: {}", self.exit)
    }
}

/// What `look` finds for each item and its number, several at a time, in the order of the items.
pub(crate) fn in_parallel<I: Sync, R: Send>(
    items: &[I],
    look: impl Fn(usize, &I) -> R + Sync,
) -> Vec<R> {
    const AT_ONCE: usize = 12;
    let next = Mutex::new(0..items.len());
    let found: Mutex<Vec<Option<R>>> = Mutex::new(items.iter().map(|_| None).collect());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(number) = next.lock().unwrap().next() else { return };
                    let result = look(number, &items[number]);
                    found.lock().unwrap()[number] = Some(result);
                }
            });
        }
    });
    found.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
}
