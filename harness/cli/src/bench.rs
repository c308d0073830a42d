//! `trustrig bench`: how a host would fare, measured. `probe` compares ways of asking a domain's DCs.

use std::{fs::File, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use runner::{
    Exit,
    fleet::{
        Fleet, FleetError, FleetReport, Shares, Strategy, StrategySettings, Topology,
        TopologyError, chart, markdown, standard, terminal,
    },
};

use crate::output::{line, write_whole, wrong_input};

/// Arguments of `trustrig bench`.
#[derive(Args, Debug)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compares strategies by which a host finds a DC that passes its LDAPS probe.
    #[command(long_about = ABOUT, after_help = AFTER_HELP)]
    Probe(ProbeArguments),
}

const ABOUT: &str = "\
Compares strategies by which a host finds a DC that passes its LDAPS probe.

A probe is what xapi asks of every DC: netlogon ping, TCP, TLS in xapi's policy, the verdict about the
chain, Kerberos, bind, and a search for KRBTGT, with the time limits of the real programs. By default
DCs and host have no sockets and time is virtual: figures are exact, and the same on every machine.
`sequential` is what xapi does; the others are for comparison.";

const AFTER_HELP: &str = "\
Strategies:
  sequential               one after the other, each for as long as Samba waits: what xapi does
  sequential-with-timeout  one after the other, each for --attempt-limit at most
  parallel                 all at once, or --in-flight at a time
  staggered                the next one after --delay, or at once when one has failed (RFC 8305)
  last-good-first          the DC that passed last time, then one after the other
  srv-weighted             one after the other, drawn by SRV priority and weight (RFC 2782)

A made-up domain (--dcs, --shares) has DCs of these kinds, in an order drawn from the seed:
  fine             sound, answers after 1 to 20 ms; takes the rest of the shares
  slow             sound, answers after 200 to 800 ms
  refused          refuses connections and netlogon pings
  black-hole       swallows everything for LDAP
  bad-certificate  expired leaf, missing intermediate, or the name of another host
Their KDCs are sound, so that the strategies alone make the difference.

Of a scenario (--scenario) are taken: its DCs with their faults, chains, SRV records and routes, and one
host's files (smb.conf, trusted certificates, machine account), name servers and clock, as they are after
its steps or the first --after of them. DCs are asked in the order of the host's own lookup. Expectations
are not judged. A host that does not use LDAPS by then is given the smb.conf that xapi would write.

Exit code 1: a strategy found no DC.";

/// Arguments of `trustrig bench probe`.
#[derive(Args, Debug)]
struct ProbeArguments {
    /// The world of this scenario file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dcs", "shares", "standard"])]
    scenario: Option<PathBuf>,
    /// The host of the scenario that asks [default: the first].
    #[arg(long, value_name = "NAME", requires = "scenario")]
    host: Option<String>,
    /// How many steps of the scenario are done before [default: all].
    #[arg(long, value_name = "STEPS", requires = "scenario")]
    after: Option<usize>,
    /// A made-up domain of so many DCs [default: 10].
    #[arg(long, value_name = "N")]
    dcs: Option<NonZeroUsize>,
    /// Per cent of its DCs by kind: `refused=10,black-hole=20` [default: a mixture].
    #[arg(long, visible_alias = "share", value_name = "KIND=PERCENT,…")]
    shares: Option<Shares>,
    /// Puts the DCs that are fine last, instead of an order drawn from the seed.
    #[arg(long, conflicts_with = "scenario")]
    worst_order: bool,
    /// The standard domains, from 1 to 1,000 DCs.
    #[arg(long, conflicts_with_all = ["dcs", "shares", "sockets", "repeat", "strategy", "worst_order"])]
    standard: bool,
    /// Strategies to compare, or `all`.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "all")]
    strategy: Vec<String>,
    /// Drives every choice: the order of the DCs, and lots.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs with so many seeds, from the given one on: medians, and from least to most.
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroUsize,
    /// Time between two attempts of `staggered`, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 250)]
    delay: u64,
    /// Longest attempt of `sequential-with-timeout`, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    attempt_limit: u64,
    /// Most attempts at a time of `parallel` and `staggered` [default: no limit].
    #[arg(long, value_name = "N")]
    in_flight: Option<NonZeroUsize>,
    /// Over sockets on loopback in real time, for the cost of our own code. A DC that is a black hole
    /// then takes the short time for which the model waits on sockets.
    #[arg(long, conflicts_with = "scenario")]
    sockets: bool,
    /// Shows what came of so many DCs one by one, with the first strategy.
    #[arg(long, value_name = "N", default_value_t = 0)]
    attempts: usize,
    /// Prints JSON, with every attempt and the load of each DC.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Prints Markdown. In the fleet world it is the same on every machine.
    #[arg(long)]
    markdown: bool,
    /// Draws the comparison: a self-contained .svg or .html.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

/// Measures.
pub(crate) fn bench(arguments: &BenchArguments) -> Exit {
    let What::Probe(arguments) = &arguments.what;
    probe(arguments).unwrap_or_else(|exit| exit)
}

fn probe(arguments: &ProbeArguments) -> Result<Exit, Exit> {
    let strategies = strategies(&arguments.strategy)?;
    let as_html = arguments.chart_as_html()?;
    let reports = measure(arguments, &strategies)?;
    if arguments.json {
        match serde_json::to_string_pretty(&reports) {
            Ok(text) => line(text),
            Err(error) => {
                eprintln!("failed to write the report: {error}");
                return Err(Exit::Broke);
            }
        }
    } else {
        let texts = reports.iter().map(|report| match arguments.markdown {
            true => markdown(report),
            false => terminal(report, arguments.attempts),
        });
        line(texts.collect::<Vec<_>>().join("\n").trim_end());
    }
    if let Some(path) = &arguments.chart {
        let picture = chart(&reports, as_html);
        write_whole(path, |out| out.write_all(picture.as_bytes()))?;
    }
    let found = reports.iter().flat_map(|report| &report.runs).all(|ran| ran.found.is_some());
    Ok(if found || arguments.standard { Exit::Held } else { Exit::DidNotHold })
}

impl ProbeArguments {
    /// Whether the chart is a page, by its name.
    fn chart_as_html(&self) -> Result<bool, Exit> {
        let Some(path) = &self.chart else { return Ok(false) };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => Ok(true),
            Some("svg") => Ok(false),
            _ => Err(wrong_input(format_args!(
                "{}: no kind of chart\n  help: let the name end in .svg or .html",
                path.display()
            ))),
        }
    }

    fn settings(&self) -> StrategySettings {
        StrategySettings {
            attempt_delay: Duration::from_millis(self.delay),
            in_flight_max: self.in_flight,
            attempt_limit: Duration::from_millis(self.attempt_limit),
            last_good: None,
        }
    }

    /// The seeds of the runs.
    fn seeds(&self) -> impl Iterator<Item = u64> {
        (self.seed..=u64::MAX).take(self.repeat.get())
    }
}

/// The strategies that are named, each once.
fn strategies(names: &[String]) -> Result<Vec<Strategy>, Exit> {
    let mut chosen = Vec::new();
    for name in names {
        let named = match name.as_str() {
            "all" => Strategy::ALL.to_vec(),
            name => vec![name.parse().map_err(|error| {
                wrong_input(format_args!("{error}\n  help: `all` compares all of them"))
            })?],
        };
        for strategy in named {
            if !chosen.contains(&strategy) {
                chosen.push(strategy);
            }
        }
    }
    Ok(chosen)
}

fn measure(arguments: &ProbeArguments, strategies: &[Strategy]) -> Result<Vec<FleetReport>, Exit> {
    let reports = if arguments.standard {
        standard(arguments.seed)
    } else if let Some(path) = &arguments.scenario {
        File::open(path).map_err(|error| {
            wrong_input(format_args!("{}: cannot be read: {error}", path.display()))
        })?;
        of_scenario(arguments, path, strategies).map(|report| vec![report])
    } else {
        made_up(arguments, strategies).map(|report| vec![report])
    };
    reports.map_err(|error| complain(&error))
}

fn made_up(arguments: &ProbeArguments, strategies: &[Strategy]) -> Result<FleetReport, FleetError> {
    const DCS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9);
    let count = arguments.dcs.unwrap_or(DCS).get();
    let shares = arguments.shares.clone().unwrap_or_else(Shares::standard);
    let shares = if arguments.worst_order { shares.worst_first() } else { shares };
    let settings = arguments.settings();
    if !arguments.sockets {
        return FleetReport::in_memory(count, &shares, strategies, &settings, arguments.seeds());
    }
    let seeds = arguments.seeds();
    threads()?.block_on(FleetReport::on_sockets(count, &shares, strategies, &settings, seeds))
}

fn of_scenario(
    arguments: &ProbeArguments,
    path: &std::path::Path,
    strategies: &[Strategy],
) -> Result<FleetReport, FleetError> {
    let threads = threads()?;
    let (host, after) = (arguments.host.as_deref(), arguments.after);
    let topology = threads.block_on(Topology::build(path, host, after, arguments.seed))?;
    let report = Fleet::runtime()?.block_on(async {
        let fleet = topology.fleet().await?;
        let mut report = FleetReport::about(&fleet);
        for seed in arguments.seeds() {
            report.add(&fleet, strategies, &arguments.settings(), seed).await;
        }
        Ok(report)
    });
    threads.block_on(topology.stop());
    report
}

fn threads() -> Result<tokio::runtime::Runtime, FleetError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(FleetError::Runtime)
}

/// Says what is in the way, and whose mistake it is.
fn complain(error: &FleetError) -> Exit {
    match error {
        FleetError::Domain(error) => {
            let help = error.remedy().map(|help| format!("\n  help: {help}")).unwrap_or_default();
            wrong_input(format_args!("{error}{help}"))
        }
        FleetError::Topology(error) => {
            let help = match error {
                TopologyError::Unplayable { remedy: Some(help), .. } => format!("\n  help: {help}"),
                _ => String::new(),
            };
            let exit = wrong_input(format_args!("{error}{help}"));
            if error.is_wrong_input() { exit } else { Exit::Broke }
        }
        error => {
            eprintln!("error: {error}");
            Exit::Broke
        }
    }
}
