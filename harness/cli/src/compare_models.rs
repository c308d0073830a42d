//! `trustrig compare-models`: ten changes of the world under every model of trust.

use clap::Args;
use runner::{
    Exit, RunOptions,
    comparison::{self, Change, MODELS},
};

use crate::output::{line, wrong_input};

/// Arguments of `trustrig compare-models`.
#[derive(Args, Debug)]
pub(crate) struct CompareModelsArguments {
    /// Drives every choice: the same seed gives the same keys and events.
    #[arg(long, default_value_t = RunOptions::SEED)]
    seed: u64,
    /// Print the page docs/trust-models.md.
    #[arg(long)]
    markdown: bool,
    /// Print the scenario of one cell instead, which `trustrig run` plays: `pinned/key-rotated`.
    #[arg(long, value_name = "MODEL/CHANGE", conflicts_with_all = ["markdown", "seed"])]
    show: Option<String>,
}

/// Plays the changes and prints what became of each connection.
pub(crate) fn compare_models(arguments: &CompareModelsArguments) -> Exit {
    if let Some(cell) = &arguments.show {
        return show(cell);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("failed to start: {error}");
            return Exit::Broke;
        }
    };
    match runtime.block_on(comparison::compare(arguments.seed)) {
        Ok(comparison) if arguments.markdown => line(comparison.to_markdown().trim_end()),
        Ok(comparison) => line(comparison.to_text().trim_end()),
        Err(error) => {
            eprintln!("failed: {error}");
            return Exit::Broke;
        }
    }
    Exit::Held
}

fn show(cell: &str) -> Exit {
    let named = cell.split_once('/').and_then(|(model, change)| {
        let model = MODELS.into_iter().find(|known| known.id == model)?;
        let change = Change::ALL.into_iter().find(|known| known.id() == change)?;
        Some((model, change))
    });
    let Some((model, change)) = named else {
        let models: Vec<_> = MODELS.iter().map(|model| model.id).collect();
        let changes = Change::ALL.map(Change::id);
        return wrong_input(format_args!(
            "there is no cell `{cell}`\n  help: MODEL/CHANGE of the models {} and the changes {}",
            models.join(", "),
            changes.join(", ")
        ));
    };
    line(comparison::scenario_text(model, change).trim_end());
    Exit::Held
}
