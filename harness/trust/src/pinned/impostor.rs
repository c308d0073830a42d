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
    report_with(&key, home, agent, seed, clock, trail).await
}

/// The same with the key of the agent: what a guess does that is right. If the manager did not let it in, that it
/// refuses guesses would say nothing.
///
/// # Errors
///
/// The agent has no key of that manager, or another than the manager has a record of.
pub async fn guess_right(
    home: &Home,
    agent: &Agent,
    seed: &Seed,
    clock: &Clock,
    trail: &Trail,
) -> Result<(), PinnedError> {
    let (known_as, right) = agent.symmetric_key(&home.manager).ok_or(PinnedError::KeyNotProven)?;
    report_with(&right.guessed_by_somebody(), home, &known_as, seed, clock, trail).await
}

async fn report_with(
    key: &SymmetricKey,
    home: &Home,
    agent: &PeerName,
    seed: &Seed,
    clock: &Clock,
    trail: &Trail,
) -> Result<(), PinnedError> {
    let (mut frames, _http) = https::upgrade(home, clock, trail).await?;
    let rng = seed.stream("proof of a guess");
    pake::prove(&mut frames, agent, &home.manager, key, rng).await
}

/// How many of the keys fit that were tried on what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// For an onlooker, who has nothing but what was heard.
    pub by_onlooker: u64,
    /// For somebody who has what the agent drew for its proof besides: the same keys on the same reply. It is the
    /// right one that fits then; if it did not, that no key fits would say nothing.
    pub with_draws: u64,
}

/// Tries keys on what was heard: made-up ones, and the right one among them.
///
/// # Errors
///
/// What was heard is no report of this agent, or the agent has another key now.
pub fn try_on(
    heard: &Heard,
    agent: &Agent,
    manager: &PeerName,
    count: u64,
    seed: &Seed,
) -> Result<Tried, PinnedError> {
    let reply = https::first_reply(&heard.dialled).ok_or(PinnedError::Malformed)?;
    let (known_as, right) = agent.symmetric_key(manager).ok_or(PinnedError::KeyNotProven)?;
    let fits = |key: &SymmetricKey, draws| pake::fits(key, &known_as, manager, &reply, draws);
    let mut draws = None;
    for candidate in agent.past_draws() {
        if fits(&right, candidate.clone())? {
            draws = Some(candidate);
        }
    }
    let draws = draws.ok_or_else(|| {
        PinnedError::Pake("it does not fit what was heard, with no draws of the agent".to_owned())
    })?;
    let made_up = (1..=count).map(|number| SymmetricKey::made_up(guessed(seed, number)));
    let mut tried = Tried { by_onlooker: 0, with_draws: 0 };
    for (number, key) in (0..).zip(made_up.chain([right.clone()])) {
        let own = seed.stream(&format!("attempt {number}"));
        tried.by_onlooker += u64::from(fits(&key, own)?);
        tried.with_draws += u64::from(fits(&key, draws.clone())?);
    }
    Ok(tried)
}

fn guessed(seed: &Seed, number: u64) -> Secret {
    let mut bytes = [0; 32];
    seed.stream(&format!("guess {number}")).fill_bytes(&mut bytes);
    Secret::new(BASE64_STANDARD.encode(bytes))
}
