//! Real programs, run to their end.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// What a program said, on both of its outputs, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) output: Vec<u8>,
    pub(crate) code: Option<i32>,
}

impl Said {
    /// Fails unless each of `words` is in the text; blanks around `=` do not matter, for OpenSSL
    /// writes them up to 3.1.
    #[track_caller]
    pub(crate) fn shows(&self, words: &[&str]) -> &Self {
        let plain = |text: &str| text.replace(" = ", "=");
        for word in words {
            assert!(plain(&self.text).contains(&plain(word)), "no `{word}` in\n{}", self.text);
        }
        self
    }
}

/// Runs `program` with these arguments and this input.
pub(crate) fn run(program: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Said {
    let mut process = Command::new(program)
        .args(arguments)
        .env_remove("LDAPRC")
        .env("LDAPTLS_REQCERT", "never")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    // A program that does not read its input may have ended by now.
    let _ = process.stdin.take().unwrap().write_all(input.as_ref());
    let ended = process.wait_with_output().unwrap();
    Said {
        text: String::from_utf8_lossy(&[&ended.stdout[..], &ended.stderr].concat()).into_owned(),
        output: ended.stdout,
        code: ended.status.code(),
    }
}

/// True if all of these programs are there; says so if one is not, and fails with
/// `TRUSTRIG_REQUIRE_TOOLS=1`.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn are_here(programs: &[&str]) -> bool {
    let is_missing = |program: &&&str| {
        let asked = Command::new(program).arg("--version").stdin(Stdio::null()).output();
        asked.is_err()
    };
    let Some(missing) = programs.iter().find(is_missing) else { return true };
    let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!required, "{missing} is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
    eprintln!("SKIPPED: {missing} is not installed; ci/setup.sh knows its package");
    false
}
