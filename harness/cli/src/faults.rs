//! `trustrig faults`: the catalogue of everything that can be wrong.

use std::fmt::Display;

use clap::{Args, Subcommand};
use runner::{
    Exit,
    catalogue::{self, ExplainError},
};
use serde_json::json;

use crate::output::{line, wrong_input};

/// Arguments of `trustrig faults`.
#[derive(Args, Debug)]
pub(crate) struct FaultsArguments {
    #[command(subcommand)]
    command: Option<FaultsCommand>,
    /// Print one line of JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Print the page docs/faults.md.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

#[derive(Debug, Subcommand)]
enum FaultsCommand {
    /// Explains one fault: what it is, its cause, and what the host says of it in every mode.
    Show {
        /// The fault, `ID[:VALUE][@LISTENER]`: time.leaf-expired, net.latency:250ms@ldaps.
        fault: String,
    },
}

/// Prints the catalogue, or one fault of it.
pub(crate) fn faults(arguments: &FaultsArguments) -> Exit {
    match &arguments.command {
        Some(FaultsCommand::Show { fault }) => show(fault, arguments.json),
        None if arguments.markdown => match wait(catalogue::explain_all()) {
            Ok(explanations) => {
                line(catalogue::markdown(&explanations).trim_end());
                Exit::Held
            }
            Err(exit) => exit,
        },
        None => list(arguments.json),
    }
}

fn list(json: bool) -> Exit {
    let catalogue = catalogue::catalogue();
    if json {
        return print_json(&json!({ "version": 1, "faults": catalogue }));
    }
    let width = catalogue.iter().map(|entry| entry.id.len()).max().unwrap_or_default();
    for entry in &catalogue {
        line(format_args!("{:<width$}  {}", entry.id, entry.summary));
    }
    Exit::Held
}

fn show(fault: &str, json: bool) -> Exit {
    let explanation = match wait(catalogue::explain(fault)) {
        Ok(explanation) => explanation,
        Err(exit) => return exit,
    };
    if json {
        let mut object = json!({ "version": 1 });
        if let (Some(object), Ok(serde_json::Value::Object(fields))) =
            (object.as_object_mut(), serde_json::to_value(&explanation))
        {
            object.extend(fields);
        }
        return print_json(&object);
    }
    line(explanation.to_string().trim_end());
    Exit::Held
}

/// Runs `work` to its end. What cannot be named is wrong input; all else is our trouble.
fn wait<T>(work: impl Future<Output = Result<T, ExplainError>>) -> Result<T, Exit> {
    let broke = |error: &dyn Display| {
        eprintln!("error: {error}");
        Exit::Broke
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(|error| broke(&error))?.block_on(work) {
        Ok(done) => Ok(done),
        Err(ExplainError::NoSuchFault(error)) => {
            Err(wrong_input(format_args!("{error}\n  help: `trustrig faults` lists all faults")))
        }
        Err(error) => Err(broke(&error)),
    }
}

fn print_json(value: &serde_json::Value) -> Exit {
    line(value);
    Exit::Held
}
