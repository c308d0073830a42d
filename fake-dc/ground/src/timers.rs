//! Those who wait for a point of virtual time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::WaitingRoom;

/// Everybody who waits, by time and then by when they came.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    room: WaitingRoom,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    came: u64,
    pending: BTreeMap<Key, oneshot::Sender<()>>,
}

/// Microseconds since the epoch, then the number of the one who waits.
type Key = (i64, u64);

/// Whether the one who waits does nothing else meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// It stands still.
    StandsStill,
    /// It works, and its time is limited.
    Works,
}

/// One who waits; gives up when dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    timers: Arc<Timers>,
    key: Key,
    meanwhile: Meanwhile,
    rung: oneshot::Receiver<()>,
}

impl Timers {
    pub(crate) fn room(&self) -> &WaitingRoom {
        &self.room
    }

    /// Begins to wait for this time.
    pub(crate) fn begin(self: &Arc<Self>, micros: i64, meanwhile: Meanwhile) -> Timer {
        let mut state = self.lock();
        state.came += 1;
        let key = (micros, state.came);
        let (go, rung) = oneshot::channel();
        state.pending.insert(key, go);
        if meanwhile == Meanwhile::StandsStill {
            self.room.enter();
        }
        Timer { timers: Arc::clone(self), key, meanwhile, rung }
    }

    /// When the first goes on.
    pub(crate) fn next(&self) -> Option<i64> {
        self.lock().pending.first_key_value().map(|((micros, _), _)| *micros)
    }

    /// Lets the first go on whose time is not after `now`.
    pub(crate) fn ring(&self, now: i64) -> bool {
        let mut state = self.lock();
        let Some(first) = state.pending.first_entry().filter(|first| first.key().0 <= now) else {
            return false;
        };
        let go = first.remove();
        self.room.leave();
        // It has not given up: it would not be here.
        let _ = go.send(());
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Consistent after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer {
    /// Comes back when the time has come.
    pub(crate) async fn rung(&mut self) {
        // The sender is dropped only after it has sent.
        let _ = (&mut self.rung).await;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let gives_up = self.timers.lock().pending.remove(&self.key).is_some();
        match self.meanwhile {
            Meanwhile::StandsStill if gives_up => self.timers.room.leave(),
            // It was counted twice from when its time had come until its work was broken off.
            Meanwhile::Works if !gives_up => self.timers.room.enter(),
            Meanwhile::StandsStill | Meanwhile::Works => {}
        }
    }
}
