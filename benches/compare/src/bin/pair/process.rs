//! What a process and its children cost, from `/proc`.

use std::{fs, path::PathBuf};

use crate::Failure;

/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, which is 100 wherever Linux runs today.
const TICKS: f64 = 100.0;

/// Seconds of CPU that a process and its children have used, ended children included.
pub(crate) fn cpu(pid: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(of(pid, "stat"))?;
    // The name of the program is in brackets and may contain anything.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/PID/stat has no name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(11..15).ok_or("/proc/PID/stat is too short")?;
    let mut used = 0.0;
    for field in ticks {
        used += field.parse::<f64>()? / TICKS;
    }
    for child in children(pid)? {
        used += cpu(child)?;
    }
    Ok(used)
}

/// KiB of memory in which a process resides. Of a process with children, all of them, what they share
/// counted once.
pub(crate) fn resident(pid: u32) -> Result<u64, Failure> {
    if children(pid)?.is_empty() {
        return kib(pid, "status", "VmRSS:");
    }
    proportional(pid)
}

fn proportional(pid: u32) -> Result<u64, Failure> {
    let mut sum = kib(pid, "smaps_rollup", "Pss:")?;
    for child in children(pid)? {
        sum += proportional(child)?;
    }
    Ok(sum)
}

fn kib(pid: u32, file: &str, name: &str) -> Result<u64, Failure> {
    let text = fs::read_to_string(of(pid, file))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.and_then(|text| text.split_whitespace().next());
    Ok(value.ok_or_else(|| format!("no {name} in /proc/{pid}/{file}"))?.parse()?)
}

fn children(pid: u32) -> Result<Vec<u32>, Failure> {
    let mut children = Vec::new();
    for task in fs::read_dir(of(pid, "task"))? {
        for child in fs::read_to_string(task?.path().join("children"))?.split_whitespace() {
            children.push(child.parse()?);
        }
    }
    Ok(children)
}

fn of(pid: u32, file: &str) -> PathBuf {
    format!("/proc/{pid}/{file}").into()
}
