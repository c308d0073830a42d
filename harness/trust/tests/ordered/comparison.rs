//! What becomes of a connection when the world changes.

use ground::{Ledger, Seed, VirtualClock};
use trust_models::ordered::comparison::{Change, Pair};

use crate::world::now;

#[tokio::test]
async fn a_pair_through_ten_changes() {
    let mut found = String::new();
    for change in Change::ALL {
        let directory = tempfile::tempdir().unwrap();
        let time = VirtualClock::starting_at(now());
        let ledger = Ledger::new(time.clock());
        let directory = directory.path().to_owned();
        let pair = Pair::start(Seed::new(1), directory, &time, &ledger).await.unwrap();
        pair.connect().await.unwrap();
        let outcome = pair.connect_after(change).await.unwrap();
        found += &match outcome {
            Ok(()) => format!("{change:?}: survives\n"),
            Err(error) => format!("{change:?}: fails, {error}\n"),
        };
        pair.stop().await;
    }
    insta::assert_snapshot!(found);
}
