//! The measurements, of both servers in turn.

use std::{
    thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    Failure,
    ldaps::Client,
    process,
    target::{Server, Target},
};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    /// LDAPS probes a second: connect, handshake, bind, search, unbind, close.
    Probes,
    /// Searches a second, on one connection for each client.
    Searches,
    /// Milliseconds from the start of the process to the first search that succeeds over LDAPS.
    Start,
}

/// What was measured of one server.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// One figure a round.
    pub(crate) figures: Vec<f64>,
    /// Microseconds of the server's CPU for each probe or search, over all rounds.
    pub(crate) cpu_us: Option<f64>,
    /// KiB in which the server resides when it has answered for the first time, one figure a start.
    pub(crate) resident_kib: Vec<u64>,
}

/// Probes or searches a second.
pub(crate) fn rates(
    what: What,
    targets: &[Target; 2],
    clients: usize,
    rounds: usize,
    slice: Duration,
) -> Result<[Measured; 2], Failure> {
    let mut measured = [Measured::default(), Measured::default()];
    let [first, second] = targets;
    let servers = [first.start()?.0, second.start()?.0];
    let mut done = [0; 2];
    let mut used = [0.0; 2];
    // What is slow only once is over after a round that is not counted.
    for round in 0..=rounds {
        for which in turn(round) {
            let server = &servers[which];
            let before = process::cpu(server.pid())?;
            let (count, took) = work(what, server.client(), clients, slice)?;
            if round == 0 {
                measured[which].resident_kib.push(process::resident(server.pid())?);
                continue;
            }
            used[which] += process::cpu(server.pid())? - before;
            done[which] += count;
            measured[which].figures.push(count as f64 / took.as_secs_f64());
        }
    }
    for which in 0..2 {
        measured[which].cpu_us = Some(used[which] * 1e6 / done[which] as f64);
    }
    Ok(measured)
}

/// From the start to the first search, and what the server occupies then.
pub(crate) fn start(targets: &[Target; 2], rounds: usize) -> Result<[Measured; 2], Failure> {
    let mut measured = [Measured::default(), Measured::default()];
    for round in 0..=rounds {
        for which in turn(round) {
            let (server, took): (Server, _) = targets[which].start()?;
            if round > 0 {
                measured[which].figures.push(took.as_secs_f64() * 1e3);
                measured[which].resident_kib.push(process::resident(server.pid())?);
            }
        }
    }
    Ok(measured)
}

/// A B, B A, A B: neither is always the second.
fn turn(round: usize) -> [usize; 2] {
    if round.is_multiple_of(2) { [0, 1] } else { [1, 0] }
}

/// Lets the clients work for a while; how much they did in how long.
fn work(
    what: What,
    client: &Client,
    clients: usize,
    slice: Duration,
) -> Result<(u64, Duration), Failure> {
    let began = Instant::now();
    let counts: Result<Vec<u64>, Failure> = thread::scope(|scope| {
        let hands: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(move || match what {
                    What::Searches => searches(client, slice),
                    What::Probes | What::Start => probes(client, slice),
                })
            })
            .collect();
        let joined = hands
            .into_iter()
            .map(|hand| hand.join().unwrap_or_else(|_| Err("a client has panicked".into())));
        joined.collect()
    });
    Ok((counts?.into_iter().sum(), began.elapsed()))
}

fn probes(client: &Client, slice: Duration) -> Result<u64, Failure> {
    let mut count = 0;
    let began = Instant::now();
    while began.elapsed() < slice {
        client.probe()?;
        count += 1;
    }
    Ok(count)
}

fn searches(client: &Client, slice: Duration) -> Result<u64, Failure> {
    let mut session = client.connect()?;
    let mut count = 0;
    let began = Instant::now();
    while began.elapsed() < slice {
        session.search()?;
        count += 1;
    }
    session.unbind()?;
    Ok(count)
}
