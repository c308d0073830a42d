//! Choices, drawn from one stream of numbers.

use ground::Stream;
use rand::Rng as _;

/// Draws one choice after the other.
#[derive(Debug)]
pub(super) struct Dice {
    stream: Stream,
    /// Days that drawn moves of the clock have used up; a scenario has a limit.
    pub(super) days: u64,
}

impl Dice {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, days: 0 }
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.stream.next_u64() % limit).unwrap_or(0)
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `items`, of which there is at least one.
    pub(super) fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }

    /// One of `rows` by their weights, of which at least one is not 0.
    pub(super) fn weighted<'t, T>(&mut self, rows: &'t [(usize, T)]) -> &'t T {
        let mut left = self.below(rows.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in rows {
            if left < *weight {
                return item;
            }
            left -= weight;
        }
        &rows[0].1
    }
}
