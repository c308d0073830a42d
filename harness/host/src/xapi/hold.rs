//! Programs that somebody holds up on a host: they begin only when they are let go.
//!
//! A real program takes its time: winbind restarts, a DC is slow. Here somebody says how long,
//! without any timer, so that other callers can be looked at meanwhile.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ground::{Trail, WaitingRoom};
use tokio::sync::oneshot;

use crate::{SambaCommand, facts::ProgramHeld};

/// What is held up on one host.
#[derive(Debug)]
pub(crate) struct Holds {
    room: WaitingRoom,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    programs: BTreeSet<String>,
    waiting: Vec<Held>,
    /// How many programs have been held up.
    count: u64,
}

#[derive(Debug)]
struct Held {
    number: u64,
    program: &'static str,
    go: oneshot::Sender<()>,
}

impl Holds {
    pub(crate) fn new(room: &WaitingRoom) -> Self {
        Self { room: room.clone(), state: Mutex::default() }
    }

    /// From now on programs of this name do not begin.
    pub(crate) fn hold(&self, program: &str) {
        self.lock().programs.insert(program.to_owned());
    }

    /// Lets programs of this name begin; how many had been waiting.
    pub(crate) fn release(&self, program: &str) -> usize {
        let mut state = self.lock();
        state.programs.remove(program);
        let (go, stay) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|held| held.program == program);
        state.waiting = stay;
        let count = go.len();
        for Held { go, .. } in go {
            self.room.leave();
            // Nobody listens if the caller gives up at this moment.
            let _ = go.send(());
        }
        count
    }

    /// Comes back as soon as the program may begin.
    pub(crate) async fn pass(&self, command: &SambaCommand, trail: &Trail) {
        let program = command.name();
        let (turn, _held_up) = {
            let mut state = self.lock();
            if !state.programs.contains(program) {
                return;
            }
            trail.record(ProgramHeld { program });
            let (go, turn) = oneshot::channel();
            state.count += 1;
            let number = state.count;
            state.waiting.push(Held { number, program, go });
            self.room.enter();
            (turn, HeldUp { holds: self, number })
        };
        // The sender is dropped only after it has sent.
        let _ = turn.await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Consistent after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller whose program is held up. One that gives up waits no more.
struct HeldUp<'a> {
    holds: &'a Holds,
    number: u64,
}

impl Drop for HeldUp<'_> {
    fn drop(&mut self) {
        let mut state = self.holds.lock();
        if let Some(place) = state.waiting.iter().position(|held| held.number == self.number) {
            state.waiting.remove(place);
            self.holds.room.leave();
        }
    }
}
