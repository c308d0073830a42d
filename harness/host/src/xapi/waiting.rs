//! How many callers of a pool stand still, for whoever drives several at once.
//!
//! A caller that waits for a lock ([`super::lock`]) or for a held program ([`super::hold`]) is in
//! the waiting room, and out of it in the moment in which it is let go, not when it notices. So
//! the driver knows without any timer when nothing moves any more.

use std::sync::Arc;

use tokio::sync::watch;

/// The callers of one pool that stand still. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct WaitingRoom {
    count: Arc<watch::Sender<usize>>,
}

impl WaitingRoom {
    /// A caller stands still from now on, until [`WaitingRoom::leave`].
    pub fn enter(&self) {
        self.count.send_modify(|count| *count += 1);
    }

    /// A caller may go on.
    pub fn leave(&self) {
        self.count.send_modify(|count| *count = count.saturating_sub(1));
    }

    /// Comes back as soon as `count` callers stand still.
    pub async fn holds(&self, count: usize) {
        // Fails when the sender is gone; it lives in `self`.
        let _ = self.count.subscribe().wait_for(|&now| now == count).await;
    }
}
