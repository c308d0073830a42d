//! Carries out a plan: begins attempts at its pace, until one succeeds or all have failed.
//!
//! What an attempt is it does not know. The others are dropped when one has succeeded, which closes
//! their connections.

use std::{collections::BTreeMap, future::Future, time::Duration};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};

use super::strategy::Plan;

/// What came of a plan.
#[derive(Debug)]
pub(super) struct Raced<T> {
    /// The attempts in the order in which they began.
    pub(super) attempts: Vec<Tried<T>>,
    /// Which of them succeeded.
    pub(super) winner: Option<usize>,
    /// Time from the beginning to the success, or to the last failure.
    pub(super) took: Duration,
    /// Most attempts that there were at a time.
    pub(super) in_flight_max: usize,
}

/// One attempt.
#[derive(Debug)]
pub(super) struct Tried<T> {
    /// Number of the candidate.
    pub(super) candidate: usize,
    /// When it began.
    pub(super) began: Duration,
    /// When it ended.
    pub(super) ended: Duration,
    /// How.
    pub(super) outcome: Outcome<T>,
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    /// Another one had succeeded.
    Cancelled,
    /// It failed.
    Failed(T),
    /// It succeeded.
    Succeeded(T),
    /// The pacing's limit was over.
    TimedOut,
}

/// Runs `plan`, whose attempts are made by `attempt` and judged by `succeeded`.
pub(super) async fn race<T, F>(
    plan: &Plan,
    attempt: impl Fn(usize) -> F,
    succeeded: impl Fn(&T) -> bool,
) -> Raced<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let start = Instant::now();
    let mut race = Race {
        running: JoinSet::new(),
        numbers: BTreeMap::new(),
        attempts: Vec::new(),
        in_flight_max: 0,
    };
    let mut waiting = plan.order.iter().copied();
    let most = plan.pacing.in_flight_max.get();
    let mut due = start;
    let winner = loop {
        let now = Instant::now();
        while due <= now && race.running.len() < most {
            let Some(candidate) = waiting.next() else { break };
            let attempt = attempt(candidate);
            race.begin(candidate, now - start, attempt, plan.pacing.attempt_limit);
            due = now + plan.pacing.delay;
        }
        let is_next_due = waiting.len() > 0 && race.running.len() < most;
        tokio::select! {
            // An attempt that succeeds when another is due spares that.
            biased;
            Some(ended) = race.running.join_next_with_id() => {
                if let Some(winner) = race.end(ended, start.elapsed(), &succeeded) {
                    break Some(winner);
                }
                due = Instant::now();
            }
            () = sleep_until(due), if is_next_due => {}
            else => break None,
        }
    };
    let took = start.elapsed();
    // Their connections are closed when this returns.
    race.running.shutdown().await;
    for &number in race.numbers.values() {
        race.attempts[number].ended = took;
    }
    Raced { winner, took, attempts: race.attempts, in_flight_max: race.in_flight_max }
}

struct Race<T> {
    running: JoinSet<Option<T>>,
    /// Numbers of the attempts under way.
    numbers: BTreeMap<Id, usize>,
    attempts: Vec<Tried<T>>,
    in_flight_max: usize,
}

impl<T: Send + 'static> Race<T> {
    fn begin(
        &mut self,
        candidate: usize,
        began: Duration,
        attempt: impl Future<Output = T> + Send + 'static,
        limit: Option<Duration>,
    ) {
        let handle = self.running.spawn(async move {
            match limit {
                Some(limit) => timeout(limit, attempt).await.ok(),
                None => Some(attempt.await),
            }
        });
        self.numbers.insert(handle.id(), self.attempts.len());
        let (ended, outcome) = (began, Outcome::Cancelled);
        self.attempts.push(Tried { candidate, began, ended, outcome });
        self.in_flight_max = self.in_flight_max.max(self.running.len());
    }

    /// Notes how an attempt ended; its number if it succeeded.
    fn end(
        &mut self,
        ended: Result<(Id, Option<T>), JoinError>,
        at: Duration,
        succeeded: impl Fn(&T) -> bool,
    ) -> Option<usize> {
        let (id, result) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => (error.id(), None),
        };
        let number = self.numbers.remove(&id)?;
        let success = result.as_ref().is_some_and(succeeded);
        self.attempts[number].ended = at;
        self.attempts[number].outcome = match result {
            Some(result) if success => Outcome::Succeeded(result),
            Some(result) => Outcome::Failed(result),
            None => Outcome::TimedOut,
        };
        success.then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use tokio::time::sleep;

    use super::*;
    use crate::fleet::strategy::{Candidate, Strategy, StrategySettings};

    /// A DC that answers after so many milliseconds, well or not.
    type Script = (u64, bool);

    fn run(strategy: Strategy, scripts: &[Script], settings: &StrategySettings) -> Raced<bool> {
        let candidates = vec![Candidate { priority: 0, weight: 100 }; scripts.len()];
        let plan = strategy.plan(&candidates, settings, &ground::Seed::new(7));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(race(
            &plan,
            |candidate| {
                let (ms, good) = scripts[candidate];
                async move {
                    sleep(Duration::from_millis(ms)).await;
                    good
                }
            },
            |&good| good,
        ))
    }

    fn begun(raced: &Raced<bool>) -> Vec<(usize, u128)> {
        let attempts = raced.attempts.iter();
        attempts.map(|tried| (tried.candidate, tried.began.as_millis())).collect()
    }

    const SCRIPTS: &[Script] =
        &[(15_000, false), (100, false), (15_000, false), (400, true), (50, true)];

    #[test]
    fn each_strategy_keeps_its_pace() {
        let settings = StrategySettings::default();
        let took = |strategy| run(strategy, SCRIPTS, &settings).took.as_millis();
        assert_eq!(took(Strategy::Sequential), 30_500);
        assert_eq!(took(Strategy::SequentialWithTimeout), 3_000 + 100 + 3_000 + 400);
        assert_eq!(took(Strategy::Parallel), 50);
        let staggered = run(Strategy::Staggered, SCRIPTS, &settings);
        // The failure at 350 ms is followed at once, and the delay runs from there.
        assert_eq!(begun(&staggered), [(0, 0), (1, 250), (2, 350), (3, 600), (4, 850)]);
        assert_eq!((staggered.took.as_millis(), staggered.winner), (900, Some(4)));
        let cancelled = staggered.attempts.iter().filter(|tried| {
            matches!(tried.outcome, Outcome::Cancelled) && tried.ended == staggered.took
        });
        assert_eq!(cancelled.count(), 3);
    }

    #[test]
    fn no_more_are_under_way_than_allowed() {
        for most in 1..=5 {
            let in_flight_max = NonZeroUsize::new(most);
            let settings = StrategySettings { in_flight_max, ..StrategySettings::default() };
            for strategy in [Strategy::Parallel, Strategy::Staggered] {
                assert!(run(strategy, SCRIPTS, &settings).in_flight_max <= most, "{strategy}");
            }
        }
        for strategy in [Strategy::Sequential, Strategy::LastGoodFirst, Strategy::SrvWeighted] {
            let raced = run(strategy, SCRIPTS, &StrategySettings::default());
            assert_eq!(raced.in_flight_max, 1, "{strategy}");
        }
    }

    #[test]
    fn where_all_fail_all_were_asked_and_none_wins() {
        let scripts = [(10, false), (20_000, false), (0, false)];
        for strategy in Strategy::ALL {
            let raced = run(strategy, &scripts, &StrategySettings::default());
            assert_eq!((raced.winner, raced.attempts.len()), (None, 3), "{strategy}");
        }
        assert_eq!(run(Strategy::Parallel, &[], &StrategySettings::default()).winner, None);
    }

    /// Whatever the DCs do, staggered is not later than sequential, and nobody is asked twice.
    #[test]
    fn staggered_is_never_later_than_sequential() {
        use rand::RngExt as _;
        let mut dice = ground::Seed::new(3).stream("scripts");
        for _ in 0..200 {
            let count = dice.random_range(1..30);
            let scripts: Vec<Script> = (0..count)
                .map(|_| (dice.random_range(0..20_000), dice.random_range(0..4) == 0))
                .collect();
            let settings = StrategySettings::default();
            let sequential = run(Strategy::Sequential, &scripts, &settings);
            let staggered = run(Strategy::Staggered, &scripts, &settings);
            let parallel = run(Strategy::Parallel, &scripts, &settings);
            assert!(staggered.took <= sequential.took, "{scripts:?}");
            if sequential.winner.is_some() {
                assert!(parallel.took <= staggered.took, "{scripts:?}");
            }
            for raced in [&sequential, &staggered, &parallel] {
                let mut asked: Vec<_> = begun(raced).into_iter().map(|(dc, _)| dc).collect();
                asked.sort_unstable();
                let count = asked.len();
                asked.dedup();
                assert_eq!(asked.len(), count);
                let won = raced.winner.map(|number| raced.attempts[number].candidate);
                assert!(won.is_none_or(|dc| scripts[dc].1));
            }
        }
    }
}
