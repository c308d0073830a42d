//! `trustrig review` and `trustrig accept`: a person decides about changed snapshots.

use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
};

use runner::{Exit, Pending};

use crate::output::{line, wrong_input};

/// Shows every proposal. On a terminal it asks about each; elsewhere it only shows them.
pub(crate) fn review(paths: &[PathBuf]) -> Exit {
    let pending = match find(paths) {
        Ok(pending) => pending,
        Err(exit) => return exit,
    };
    if pending.is_empty() {
        line(format_args!("no snapshot waits for review"));
        return Exit::Held;
    }
    let asks = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut left = 0;
    for proposal in &pending {
        match review_one(proposal, asks) {
            Ok(true) => {}
            Ok(false) => left += 1,
            Err(error) => return broken(proposal, &error),
        }
    }
    if left == 0 {
        return Exit::Held;
    }
    line(format_args!("{left} left; `trustrig accept` accepts all of them"));
    Exit::DidNotHold
}

/// Whether the proposal is settled.
fn review_one(proposal: &Pending, asks: bool) -> std::io::Result<bool> {
    line(format_args!("{}", proposal.accepted.display()));
    print!("{}", proposal.diff()?);
    if !asks {
        return Ok(false);
    }
    print!("[a]ccept, [r]eject or [s]kip? ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "a" | "accept" => proposal.accept().map(|()| true),
        "r" | "reject" => proposal.reject().map(|()| true),
        _ => Ok(false),
    }
}

/// Accepts every proposal and names each.
pub(crate) fn accept(paths: &[PathBuf]) -> Exit {
    let pending = match find(paths) {
        Ok(pending) => pending,
        Err(exit) => return exit,
    };
    for proposal in &pending {
        if let Err(error) = proposal.accept() {
            return broken(proposal, &error);
        }
        line(format_args!("accepted {}", proposal.accepted.display()));
    }
    if pending.is_empty() {
        line(format_args!("no snapshot waits for review"));
    }
    Exit::Held
}

fn find(paths: &[PathBuf]) -> Result<Vec<Pending>, Exit> {
    let mut pending = Vec::new();
    for path in paths {
        if !path.is_dir() {
            return Err(wrong_input(format_args!(
                "{}: no such folder\n  help: name the folder with the scenarios",
                path.display()
            )));
        }
        pending.extend(Pending::find(path));
    }
    Ok(pending)
}

fn broken(proposal: &Pending, error: &std::io::Error) -> Exit {
    eprintln!("error: {}: {error}", proposal.accepted.display());
    Exit::Broke
}
