//! Reports as one picture: a self-contained SVG, and the same inside a page of HTML.
//!
//! Two bars for each strategy: the time to the first success, and the connections that it cost. Both
//! scales are logarithmic, since strategies differ by orders of magnitude.

use std::fmt::{Display, Write as _};

use super::{report::FleetReport, strategy::Strategy, table::readable};

/// The picture as SVG, or as HTML if `as_html`.
pub fn chart(reports: &[FleetReport], as_html: bool) -> String {
    let svg = svg(reports);
    if !as_html {
        return svg;
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>How long a host takes to find a DC</title>\n</head>\n<body>\n{svg}</body>\n</html>\n"
    )
}

const WIDTH: f64 = 1_080.0;
/// Where the names of strategies end.
const NAMES: f64 = 190.0;
/// The first panel: time.
const TIME: Panel = Panel { left: 200.0, right: 530.0 };
/// The second panel: connections.
const CONNECTIONS: Panel = Panel { left: 740.0, right: 980.0 };
const HEAD: f64 = 64.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
const FOOT: f64 = 40.0;
/// The scale of time begins here, in milliseconds.
const FIRST_MS: f64 = 1.0;

#[derive(Clone, Copy)]
struct Panel {
    left: f64,
    right: f64,
}

impl Panel {
    /// Where `value` is between `first` and `last` on a logarithmic scale.
    fn at(self, value: f64, first: f64, last: f64) -> f64 {
        let share = (value.max(first) / first).log10() / (last / first).log10().max(1.0);
        self.left + (self.right - self.left) * share.clamp(0.0, 1.0)
    }
}

/// What is shown of one strategy: the medians of its runs.
struct Bar {
    strategy: Strategy,
    ms: f64,
    time: String,
    connections: f64,
    has_found: bool,
}

fn bars(report: &FleetReport) -> Vec<Bar> {
    let mut strategies: Vec<Strategy> = Vec::new();
    for ran in &report.runs {
        if !strategies.contains(&ran.strategy) {
            strategies.push(ran.strategy);
        }
    }
    let bar = |strategy| {
        let mut runs: Vec<_> = report.runs.iter().filter(|ran| ran.strategy == strategy).collect();
        runs.sort_by_key(|ran| ran.took);
        let middle = runs[runs.len() / 2];
        runs.sort_by_key(|ran| ran.connections);
        Bar {
            strategy,
            ms: middle.took.as_secs_f64() * 1_000.0,
            time: readable(middle.took),
            connections: f64::from(
                u32::try_from(runs[runs.len() / 2].connections).unwrap_or(u32::MAX),
            ),
            has_found: middle.found.is_some(),
        }
    };
    strategies.into_iter().map(bar).collect()
}

fn svg(reports: &[FleetReport]) -> String {
    let all: Vec<(&FleetReport, Vec<Bar>)> =
        reports.iter().map(|report| (report, bars(report))).collect();
    let heights = all.iter().map(|(_, bars)| HEAD + ROW * length(bars) + FOOT);
    let height = heights.sum::<f64>() + 16.0;
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" \
         font-size=\"13\" role=\"img\">\n\
         <title>How long a host takes to find a DC, by strategy</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    // One scale for all, so that pictures of several domains can be compared.
    let last_ms = last(all.iter().flat_map(|(_, bars)| bars).map(|bar| bar.ms));
    let last_connections = last(all.iter().flat_map(|(_, bars)| bars).map(|bar| bar.connections));
    let mut top = 8.0;
    for (report, bars) in &all {
        draw(&mut svg, report, bars, (last_ms, last_connections), top);
        top += HEAD + ROW * length(bars) + FOOT;
    }
    svg.push_str("</svg>\n");
    svg
}

/// The power of ten that the largest value does not exceed, at least ten.
fn last(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values.fold(10.0, f64::max);
    10.0_f64.powf(largest.log10().ceil())
}

#[expect(clippy::cast_precision_loss, reason = "there are six strategies")]
fn length(bars: &[Bar]) -> f64 {
    bars.len() as f64
}

fn draw(
    svg: &mut String,
    report: &FleetReport,
    bars: &[Bar],
    (last_ms, last_connections): (f64, f64),
    top: f64,
) {
    let (head, foot) = (top + HEAD, top + HEAD + ROW * length(bars));
    let mut text = |x: f64, y: f64, attributes: &str, what: &dyn Display| {
        let what = escaped(&what.to_string());
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{what}</text>");
    };
    const BOLD: &str = "font-weight=\"bold\" font-size=\"15\" fill=\"#111111\"";
    const PALE: &str = "fill=\"#555555\" font-size=\"12\"";
    const TICK: &str = "fill=\"#555555\" font-size=\"11\" text-anchor=\"middle\"";
    let is_exact = report.world == "fleet";
    text(12.0, top + 20.0, BOLD, &report.domain);
    let kind = if is_exact { "virtual time" } else { "real time" };
    text(TIME.left, top + 46.0, PALE, &format!("{kind} to the first success"));
    text(CONNECTIONS.left, top + 46.0, PALE, &"connections that DCs took");
    for (panel, first, last, names) in
        [(TIME, FIRST_MS, last_ms, &TIMES[..]), (CONNECTIONS, 0.1, last_connections, &COUNTS[..])]
    {
        for (value, name) in names.iter().filter(|(value, _)| *value <= last * 1.01) {
            let x = panel.at(*value, first, last);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{head:.1}\" y2=\"{foot:.1}\" \
                 stroke=\"#dddddd\"/>\n\
                 <text x=\"{x:.1}\" y=\"{:.1}\" {TICK}>{name}</text>",
                foot + 16.0
            );
        }
    }
    let mut y = head;
    for bar in bars {
        let middle = y + ROW / 2.0;
        let (fill, note) =
            if bar.has_found { ("#2f6f9f", "") } else { ("#b0b0b0", ", none found") };
        for (panel, end, fill, label) in [
            (TIME, TIME.at(bar.ms, FIRST_MS, last_ms), fill, format!("{}{note}", bar.time)),
            (
                CONNECTIONS,
                CONNECTIONS.at(bar.connections, 0.1, last_connections),
                "#c06c2b",
                bar.connections.to_string(),
            ),
        ] {
            let (width, label) = ((end - panel.left).max(1.0), escaped(&label));
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{BAR}\" \
                 fill=\"{fill}\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#111111\" font-size=\"12\">{label}</text>",
                panel.left,
                middle - BAR / 2.0,
                panel.left + width + 6.0,
                middle + 4.0,
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{NAMES}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#111111\">{}</text>",
            middle + 4.0,
            bar.strategy.name()
        );
        y += ROW;
    }
}

/// Where the scale of time has lines, in milliseconds.
const TIMES: [(f64, &str); 9] = [
    (1.0, "1 ms"),
    (10.0, "10 ms"),
    (100.0, "100 ms"),
    (1_000.0, "1 s"),
    (10_000.0, "10 s"),
    (60_000.0, "1 min"),
    (600_000.0, "10 min"),
    (3_600_000.0, "1 h"),
    (36_000_000.0, "10 h"),
];

/// Where the scale of connections has lines.
const COUNTS: [(f64, &str); 5] =
    [(0.1, "0"), (1.0, "1"), (10.0, "10"), (100.0, "100"), (1_000.0, "1,000")];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
