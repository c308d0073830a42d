//! What somebody can try who is neither manager nor agent: to listen, to repeat, to guess.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ground::{Clock, Secret, Seed, Trail};
use rand::Rng as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    Agent, HANDSHAKE_LIMIT, Heard, Home, PeerName, PinnedError, https,
    pake::{self, SymmetricKey},
    proxy,
};

/// Says to a manager once more what an agent has said to it.
///
/// # Errors
///
/// Nobody listens there, or the manager has not ended the conversation in time.
pub async fn replay(address: SocketAddr, heard: &Heard) -> Result<(), PinnedError> {
    let mut stream = proxy::dial_as_anybody(address).await?;
    stream.write_all(&heard.dialler).await?;
    stream.flush().await?;
    let ended = timeout(HANDSHAKE_LIMIT, stream.read_to_end(&mut Vec::new())).await;
    // However it ends it, it has ended it.
    ended.map(drop).map_err(|_| PinnedError::Silent { limit: HANDSHAKE_LIMIT })
}

/// Reports to a manager in the place of an agent, with a key that is made up.
///
/// # Errors
///
/// The guess was wrong, as guesses are.
pub async fn guess(
    home: &Home,
    agent: &PeerName,
    seed: &Seed,
    clock: &Clock,
    trail: &Trail,
) -> Result<(), PinnedError> {
    let key = SymmetricKey::made_up(guessed(seed, 0));
    let (mut frames, _http) = https::upgrade(home, clock, trail).await?;
    let rng = seed.stream("proof of a guess");
    pake::prove(&mut frames, agent, &home.manager, &key, rng).await
}

/// Tries keys on what was heard: made-up ones, and the right one among them. How many of them fit.
///
/// # Errors
///
/// What was heard is no report of an agent, or the agent has no key.
pub fn try_on(
    heard: &Heard,
    agent: &Agent,
    manager: &PeerName,
    count: u64,
    seed: &Seed,
) -> Result<usize, PinnedError> {
    let reply = https::first_reply(&heard.dialled).ok_or(PinnedError::Malformed)?;
    let right = agent.symmetric_key(manager).ok_or(PinnedError::KeyNotProven)?;
    let made_up = (1..=count).map(|number| SymmetricKey::made_up(guessed(seed, number)));
    let mut fitting = 0;
    for (number, key) in (0..).zip(made_up.chain([right])) {
        let rng = seed.stream(&format!("attempt {number}"));
        fitting += usize::from(pake::fits(&key, agent.name(), manager, &reply, rng)?);
    }
    Ok(fitting)
}

fn guessed(seed: &Seed, number: u64) -> Secret {
    let mut bytes = [0; 32];
    seed.stream(&format!("guess {number}")).fill_bytes(&mut bytes);
    Secret::new(BASE64_STANDARD.encode(bytes))
}
