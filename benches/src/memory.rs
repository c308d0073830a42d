//! Memory of a process, as the kernel counts it.

use std::fs;

use crate::Failure;

/// What a process holds, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Its pages in memory; those that it shares with other processes count in part.
    pub pss: u64,
    /// The same without what is a file: heap and stacks.
    pub anonymous: u64,
    /// Its pages in memory.
    pub rss: u64,
}

impl Memory {
    /// Of the process with that number.
    pub fn of(process: u32) -> Result<Self, Failure> {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok())
                .ok_or_else(|| format!("smaps_rollup has no {name}"))
        };
        Ok(Self { pss: field("Pss:")?, anonymous: field("Anonymous:")?, rss: field("Rss:")? })
    }
}
