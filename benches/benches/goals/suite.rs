//! The bundled suite: time per scenario, how it grows, and whether memory does.

use std::{path::Path, process, time::Instant};

use benches::{Failure, Memory, Report, Unit, processor_time};
use runner::{RunOptions, Suite};
use tokio::runtime::{Builder, Runtime};

/// Repetitions of a sixteenth of the suite for memory.
const REPETITIONS: usize = 10;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let suite = Suite::load(&[scenarios])?;
    let mut processor = Vec::new();
    for (name, part, goal) in [("quarter", 4, None), ("half", 2, None), ("whole", 1, Some(100.0))] {
        let some = every(&suite, part);
        let (start, used) = (Instant::now(), processor_time());
        run(&runtime, &some)?;
        let each = some.cases().len() as f64;
        let wall = start.elapsed().as_secs_f64() * 1e3 / each;
        let used = (processor_time() - used).as_secs_f64() * 1e3 / each;
        report.add(format!("suite/{name}/wall-each"), Unit::Milliseconds, &[wall], goal);
        report.add(format!("suite/{name}/processor-each"), Unit::Milliseconds, &[used], None);
        processor.push(used);
    }
    // 1 is linear.
    if let [quarter, _, whole] = processor[..] {
        report.add("suite/whole-over-quarter", Unit::Ratio, &[whole / quarter], Some(1.1));
    }
    let some = every(&suite, 16);
    let mut held = Vec::with_capacity(REPETITIONS);
    for _ in 0..REPETITIONS {
        run(&runtime, &some)?;
        held.push(Memory::of(process::id())?.rss as f64);
    }
    let (first, last) = held.split_at(REPETITIONS / 2);
    let growth = benches::median(last) / benches::median(first);
    report.add("suite/memory", Unit::Kib, &held, None);
    report.add("suite/memory-growth", Unit::Ratio, &[growth], Some(1.05));
    Ok(())
}

/// Every so many-th case.
fn every(suite: &Suite, part: usize) -> Suite {
    Suite::of(suite.cases().iter().step_by(part).cloned())
}

fn run(runtime: &Runtime, suite: &Suite) -> Result<(), Failure> {
    let report = runtime.block_on(runner::run(suite, &RunOptions::default(), &mut |_| {}));
    if report.held() { Ok(()) } else { Err("a case of the suite does not hold".into()) }
}
