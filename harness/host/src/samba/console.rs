//! What a program prints while it runs, filtered by its debug level.

use crate::Output;

/// Standard output and standard error of one program.
#[derive(Debug)]
pub(super) struct Console {
    level: u8,
    stdout: String,
    stderr: String,
}

impl Console {
    /// A program started with `-d level`.
    pub(super) fn new(level: u8) -> Self {
        Self { level, stdout: String::new(), stderr: String::new() }
    }

    /// The debug level.
    pub(super) fn level(&self) -> u8 {
        self.level
    }

    /// Writes a line to standard output.
    pub(super) fn print(&mut self, line: &str) {
        self.stdout.push_str(line);
        self.stdout.push('\n');
    }

    /// Writes to standard output what is no whole line.
    pub(super) fn print_part(&mut self, text: &str) {
        self.stdout.push_str(text);
    }

    /// Writes a line to standard error, whatever the debug level.
    pub(super) fn error(&mut self, line: &str) {
        self.stderr.push_str(line);
        self.stderr.push('\n');
    }

    /// Writes a line to standard error if the program logs at `level`.
    pub(super) fn debug(&mut self, level: u8, line: &str) {
        if self.level >= level {
            self.error(line);
        }
    }

    /// The end of a program that is not `net`, or of a `net` that stops early.
    pub(super) fn exit(self, status: i32) -> Output {
        Output { exit: status, stdout: self.stdout, stderr: self.stderr }
    }

    /// The end of `net`: what its function returned becomes the exit status, as a byte.
    pub(super) fn net_returns(mut self, code: i32) -> Output {
        self.debug(2, &format!("return code = {code}"));
        self.exit(code & 0xff)
    }
}
