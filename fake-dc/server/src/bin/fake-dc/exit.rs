//! The exit codes, shared with `trustrig` and fixed for ever.

use std::process::ExitCode;

/// How a run of the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: all is well.
    Held,
    /// 2: the input was wrong: arguments, files, addresses.
    InputWrong,
    /// 3: the program failed, or the machine did.
    Broken,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::InputWrong => 2,
            Exit::Broken => 3,
        })
    }
}
