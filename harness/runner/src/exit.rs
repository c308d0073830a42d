//! The four exits of our programs, fixed for ever.

/// How a program of trustrig ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything held.
    Held = 0,
    /// Some expectation did not hold, or a changed snapshot waits for review.
    DidNotHold = 1,
    /// The input was wrong: arguments, a scenario, a file it names.
    WrongInput = 2,
    /// We broke: a bug of ours, or a machine that refuses what we need (ports, disk).
    Broke = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
