//! Reports as tables: one row for each strategy, over all its runs.

use std::{fmt::Write as _, time::Duration};

use super::{
    report::{End, FleetReport, Ran},
    strategy::Strategy,
};

/// For a terminal: a table, and what each DC came to with the first strategy that asked.
pub fn terminal(report: &FleetReport, attempts_max: usize) -> String {
    let mut text = format!("{}\n\n", title(report));
    let rows = rows(report);
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEADINGS[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let mut print = |cells: &[String]| {
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 | 1 => write!(line, "{cell:<width$}  "),
                _ => write!(line, "{cell:>width$}  "),
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    };
    print(&HEADINGS.map(str::to_owned));
    rows.iter().for_each(|row| print(row));
    if let Some(first) = report.runs.first().filter(|_| attempts_max > 0) {
        text.push_str(&attempts(first, attempts_max));
    }
    text
}

/// As Markdown, without what differs from machine to machine in the fleet world.
pub fn markdown(report: &FleetReport) -> String {
    let is_exact = report.world == "fleet";
    let columns = if is_exact { HEADINGS.len() - 1 } else { HEADINGS.len() };
    let mut text = format!("{}\n\n", title(report));
    let mut row = |cells: &[String]| {
        let _ = writeln!(text, "| {} |", cells[..columns].join(" | "));
    };
    row(&HEADINGS.map(str::to_owned));
    let rules: Vec<String> =
        (0..HEADINGS.len()).map(|n| if n < 2 { "---" } else { "---:" }.to_owned()).collect();
    row(&rules);
    rows(report).iter().for_each(|cells| row(cells));
    text
}

const HEADINGS: [&str; 10] = [
    "strategy",
    "found",
    "time to success",
    "DCs asked",
    "at a time",
    "connections",
    "handshakes",
    "searches",
    "most at one DC",
    "wall",
];

fn title(report: &FleetReport) -> String {
    let time = match report.world {
        "fleet" => "virtual time, exact",
        _ => "real time, over loopback",
    };
    let seeds = report.runs.iter().map(|ran| ran.seed);
    let (first, last) = (seeds.clone().min().unwrap_or(0), seeds.max().unwrap_or(0));
    let seeds =
        if first == last { format!("seed {first}") } else { format!("seeds {first} to {last}") };
    format!("{} ({time}; {seeds})", report.domain)
}

fn rows(report: &FleetReport) -> Vec<[String; HEADINGS.len()]> {
    let mut strategies: Vec<Strategy> = Vec::new();
    for ran in &report.runs {
        if !strategies.contains(&ran.strategy) {
            strategies.push(ran.strategy);
        }
    }
    let of = |strategy| report.runs.iter().filter(move |ran| ran.strategy == strategy);
    strategies
        .into_iter()
        .map(|strategy| row(strategy, &of(strategy).collect::<Vec<_>>()))
        .collect()
}

fn row(strategy: Strategy, runs: &[&Ran]) -> [String; HEADINGS.len()] {
    let found: Vec<&str> = runs.iter().filter_map(|ran| ran.found.as_deref()).collect();
    let found = match (found.as_slice(), runs.len()) {
        ([], _) => "none".to_owned(),
        ([name], 1) => (*name).to_owned(),
        (found, of) => format!("{} of {of}", found.len()),
    };
    let count = |of: &dyn Fn(&Ran) -> u64| {
        let (least, middle, most) = spread(runs.iter().map(|ran| of(ran)));
        if least == most { middle.to_string() } else { format!("{middle} ({least}–{most})") }
    };
    let time = |of: &dyn Fn(&Ran) -> Duration| {
        let (least, middle, most) = spread(runs.iter().map(|ran| of(ran)));
        if least == most {
            readable(middle)
        } else {
            format!("{} ({}–{})", readable(middle), readable(least), readable(most))
        }
    };
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    [
        strategy.name().to_owned(),
        found,
        time(&|ran| ran.took),
        count(&|ran| size(ran.attempts.len())),
        count(&|ran| size(ran.in_flight_max)),
        count(&|ran| ran.connections),
        count(&|ran| ran.handshakes),
        count(&|ran| ran.searches),
        count(&|ran| ran.heaviest()),
        time(&|ran| ran.wall),
    ]
}

/// The least, the median and the most.
fn spread<T: Copy + Default + Ord>(values: impl Iterator<Item = T>) -> (T, T, T) {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)))
}

/// What came of each DC that was asked.
fn attempts(ran: &Ran, most: usize) -> String {
    let mut text = format!("\nEach DC with {}, in the order of the attempts:\n", ran.strategy);
    for attempt in ran.attempts.iter().take(most) {
        let end = match attempt.end {
            End::Cancelled => "cancelled",
            End::Failed => attempt.verdict.unwrap_or("failed"),
            End::Passed => "passed",
            End::TimedOut => "given up",
        };
        let met = attempt.met.as_deref().map(|met| format!(" ({met})")).unwrap_or_default();
        let (began, ended) = (readable(attempt.began), readable(attempt.ended));
        let _ = writeln!(text, "  {} from {began} to {ended}: {end}{met}", attempt.dc);
    }
    let more = ran.attempts.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text
}

/// `2 h 5 min 1.250 s`, `15.031 s`, `312 ms`, `0.27 ms`.
pub(super) fn readable(time: Duration) -> String {
    let ms = time.as_millis();
    if !time.subsec_nanos().is_multiple_of(1_000_000) && ms < 100 {
        return format!("{:.2} ms", time.as_secs_f64() * 1_000.0);
    }
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let seconds = format!("{}.{:03} s", rest / 1_000, rest % 1_000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes} min {seconds}"),
        (_, _) => format!("{hours} h {minutes} min {seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable_and_lose_nothing_of_a_virtual_clock() {
        let text = |ms| readable(Duration::from_millis(ms));
        assert_eq!(text(0), "0 ms");
        assert_eq!(text(999), "999 ms");
        assert_eq!(text(15_031), "15.031 s");
        assert_eq!(text(7_501_250), "2 h 5 min 1.250 s");
        assert_eq!(text(60_000), "1 min 0.000 s");
        assert_eq!(readable(Duration::from_micros(270)), "0.27 ms");
    }

    #[test]
    fn the_spread_of_one_value_is_that_value() {
        assert_eq!(spread([7].into_iter()), (7, 7, 7));
        assert_eq!(spread([3, 1, 2].into_iter()), (1, 2, 3));
        assert_eq!(spread(std::iter::empty::<u8>()), (0, 0, 0));
    }
}
