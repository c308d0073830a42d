//! Who moves and who stands still, for whoever drives several callers at once.
//!
//! A caller that waits for a lock, for a held program or for time to pass is in the waiting room,
//! and out of it in the moment in which it is let go, not when it notices. So the driver knows
//! without any timer when nothing moves any more.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{oneshot, watch};

/// The callers of one world. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct WaitingRoom {
    /// Those that were announced by [`WaitingRoom::begin`], less those that stand still.
    moving: Arc<watch::Sender<isize>>,
}

/// A caller that was announced. It has ended when this is dropped.
#[derive(Debug)]
pub struct Moving {
    room: WaitingRoom,
}

impl WaitingRoom {
    /// Announces a caller. Callers that nobody announces are counted by [`WaitingRoom::holds`].
    pub fn begin(&self) -> Moving {
        self.leave();
        Moving { room: self.clone() }
    }

    /// A caller stands still from now on, until [`WaitingRoom::leave`].
    pub fn enter(&self) {
        self.moving.send_modify(|moving| *moving -= 1);
    }

    /// A caller may go on.
    pub fn leave(&self) {
        self.moving.send_modify(|moving| *moving += 1);
    }

    /// Comes back as soon as `count` callers that nobody announced stand still, and all that were
    /// announced.
    pub async fn holds(&self, count: usize) {
        let count = isize::try_from(count).unwrap_or(isize::MAX);
        // Fails when the sender is gone; it lives in `self`.
        let _ = self.moving.subscribe().wait_for(|&moving| moving == -count).await;
    }

    /// Comes back as soon as all callers that were announced stand still or have ended.
    pub async fn is_at_rest(&self) {
        let _ = self.moving.subscribe().wait_for(|&moving| moving <= 0).await;
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.room.enter();
    }
}

/// Wakes one that sleeps before its time.
#[derive(Debug)]
pub struct Bell {
    room: WaitingRoom,
    sleeper: Mutex<Option<oneshot::Sender<()>>>,
}

impl Bell {
    /// A bell for callers of this room.
    pub fn new(room: &WaitingRoom) -> Self {
        Self { room: room.clone(), sleeper: Mutex::default() }
    }

    /// Wakes who sleeps; nobody may.
    pub fn ring(&self) {
        if let Some(go) = self.sleeper().take() {
            self.room.leave();
            // It has not given up: it would not be here.
            let _ = go.send(());
        }
    }

    /// Sleeps until the end of `sleep`, or until this rings. One sleeps at a time.
    pub async fn interrupts(&self, sleep: impl Future<Output = ()>) {
        let (go, rung) = oneshot::channel();
        *self.sleeper() = Some(go);
        // Dropped after the sleep: until then a caller who was woken counts as moving.
        let _listening = Listening { bell: self };
        let sleep = pin!(sleep);
        tokio::select! {
            biased;
            () = sleep => {}
            _ = rung => {}
        }
    }

    fn sleeper(&self) -> MutexGuard<'_, Option<oneshot::Sender<()>>> {
        // Consistent after every statement under the lock.
        self.sleeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Listening<'a> {
    bell: &'a Bell,
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if self.bell.sleeper().take().is_none() {
            self.bell.room.enter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bell_wakes_who_sleeps() {
        let room = WaitingRoom::default();
        let bell = Arc::new(Bell::new(&room));
        bell.ring();
        let (listens, moving, within) = (Arc::clone(&bell), room.begin(), room.clone());
        let sleeper = tokio::spawn(async move {
            within.enter();
            let sleep = async {
                std::future::pending::<()>().await;
            };
            listens.interrupts(sleep).await;
            within.leave();
            drop(moving);
        });
        room.is_at_rest().await;
        assert!(!sleeper.is_finished());
        bell.ring();
        sleeper.await.unwrap();
        room.holds(0).await;
    }
}
