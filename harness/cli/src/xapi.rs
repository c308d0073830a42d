//! `trustrig codes` and `trustrig quirks`: what xapi says, where it is odd, and which scenarios show it.

use clap::Args;
use runner::{
    Exit,
    evidence::{self, CodeEvidence, QuirkEvidence},
};
use serde::Serialize;
use serde_json::json;

use crate::output::{line, wrong_input};

/// Arguments of `trustrig codes` and `trustrig quirks`.
#[derive(Args, Debug)]
pub(crate) struct XapiArguments {
    /// Show this one alone.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Print the page below docs/.
    #[arg(long, conflicts_with_all = ["json", "name"])]
    markdown: bool,
}

/// Prints the error codes, or one of them.
pub(crate) fn codes(arguments: &XapiArguments) -> Exit {
    let codes = evidence::codes();
    if arguments.markdown {
        line(evidence::codes_page(&codes).trim_end());
        return Exit::Held;
    }
    let is = |code: &CodeEvidence, name: &str| code.code.code == name;
    print(arguments, "codes", codes, is, |code, whole| {
        let mut text = format!("{} [{}]", code.code.code, code.code.parameters);
        text += &format!("\n    {}", code.code.meaning);
        for (profile, scenarios) in code.scenarios.iter().filter(|_| whole) {
            text += &format!("\n    {profile}: {}", list(scenarios));
        }
        if let Some(why) = code.never.filter(|_| whole) {
            text += &format!("\n    never: {why}");
        }
        text
    })
}

/// Prints the quirks, or one of them.
pub(crate) fn quirks(arguments: &XapiArguments) -> Exit {
    let quirks = evidence::quirks();
    if arguments.markdown {
        line(evidence::quirks_page(&quirks).trim_end());
        return Exit::Held;
    }
    let is = |quirk: &QuirkEvidence, name: &str| quirk.name == name || quirk.id == name;
    print(arguments, "quirks", quirks, is, |quirk, whole| {
        let mut text = format!("{} {}\n    {}", quirk.id, quirk.name, quirk.about);
        if whole {
            text += &format!("\n    on by default in: {}", list(&quirk.on_in));
            text += &format!("\n    shown on by: {}", list(&quirk.on));
            text += &format!("\n    shown off by: {}", list(&quirk.off));
            if let Some(why) = quirk.never {
                text += &format!("\n    no scenario can tell: {why}");
            }
        }
        text
    })
}

fn print<T: Serialize>(
    arguments: &XapiArguments,
    what: &str,
    mut rows: Vec<T>,
    is: impl Fn(&T, &str) -> bool,
    text: impl Fn(&T, bool) -> String,
) -> Exit {
    if let Some(name) = &arguments.name {
        rows.retain(|row| is(row, name));
        if rows.is_empty() {
            return wrong_input(format_args!(
                "`{name}` is not one of the {what}\n  help: `trustrig {what}` lists all"
            ));
        }
    }
    if arguments.json {
        line(json!({ "version": 1, what: rows }));
        return Exit::Held;
    }
    for row in &rows {
        line(text(row, arguments.name.is_some()));
    }
    Exit::Held
}

fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
