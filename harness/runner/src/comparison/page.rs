//! A comparison as text, and as the page `docs/trust-models.md`.

use std::fmt::Write;

use super::{Cell, Change, Comparison, Fate, MODELS, Model, Partner};

/// What stands above the tables of `docs/trust-models.md`.
const HEAD: &str = "\
# Models of trust, compared

Made by `trustrig compare-models --markdown`; a test fails when it is stale.

Two ends trust each other and have connected. Then one thing changes, and the one end calls the other once more. Each cell
is a scenario that was played over real TLS sockets: `trustrig compare-models --show MODEL/CHANGE` prints it, and
`trustrig run` plays it with its events.

Connections that were open before the change are not looked at here. No model looks at a peer again while a connection lasts,
so that one goes on whatever is believed meanwhile; in `pinned` even that to a host that has been removed. There is one
exception: the upload of a server certificate in `ordered` restarts every storage appliance, which closes all its connections.
Whether a clock is wrong is a matter of the end that calls: the host's in `transfer` and `xapi`,
the manager's in `pinned`, that of the appliance that copies in `ordered`, that of the client's machine in `directory`.
";

const WRONG: &str = " not what a person would want who knows who answers";
const ALIKE: &str = " played by the same steps as another change of the column: the end that calls cannot tell them apart";

impl Comparison {
    /// A table for a terminal, and below it the words of every refusal.
    pub fn to_text(&self) -> String {
        let first = Change::ALL.map(|change| change.title().len()).into_iter().max().unwrap_or(0);
        let widths = MODELS.map(|model| self.width(model));
        let mut text = format!("{:<first$}  {:<14}", "change", "who answers");
        for (model, width) in MODELS.iter().zip(widths) {
            write!(text, "  {:<width$}", model.id).ok();
        }
        text = text.trim_end().to_owned() + "\n";
        for change in Change::ALL {
            let mut row = format!("{:<first$}  {:<14}", change.title(), who(change));
            for (model, width) in MODELS.iter().zip(widths) {
                write!(row, "  {:<width$}", self.short(model, change)).ok();
            }
            text += row.trim_end();
            text += "\n";
        }
        writeln!(text, "\n{}\n{}", ["*", WRONG].concat(), ["+", ALIKE].concat()).ok();
        for model in MODELS {
            write!(text, "\n{}: {}\n  believes because {}\n", model.id, model.title, model.belief)
                .ok();
            for (change, reason, words) in self.refusals(model) {
                writeln!(text, "  {}: {reason}\n    {}", change.title(), indented(words)).ok();
            }
            for note in notes(model) {
                writeln!(text, "  {note}").ok();
            }
        }
        text
    }

    /// The tables of `docs/trust-models.md`.
    pub fn to_markdown(&self) -> String {
        let mut page = format!("{HEAD}\n| Change | Who answers |");
        for model in MODELS {
            write!(page, " {} |", model.id).ok();
        }
        page += "\n| --- | --- |";
        page += &" --- |".repeat(MODELS.len());
        page += "\n";
        for change in Change::ALL {
            write!(page, "| {} | {} |", change.title(), who(change)).ok();
            for model in MODELS {
                let short = self.short(model, change).replace('*', "\\*").replace('+', "†");
                write!(page, " {short} |").ok();
            }
            page += "\n";
        }
        writeln!(page, "\n\\*{WRONG}\n\n†{ALIKE}").ok();
        for model in MODELS {
            write!(
                page,
                "\n### {}\n\n{}. One end believes the other because {}.\n",
                model.id, model.title, model.belief
            )
            .ok();
            page += "\n| Change | Reason | Words |\n| --- | --- | --- |\n";
            for (change, reason, words) in self.refusals(model) {
                let words = words.replace('|', "\\|").replace('\n', " ");
                writeln!(page, "| {} | `{reason}` | {words} |", change.title()).ok();
            }
            for (index, note) in notes(model).enumerate() {
                writeln!(page, "{}- {note}", if index == 0 { "\n" } else { "" }).ok();
            }
        }
        page
    }

    fn width(&self, model: &Model) -> usize {
        let cells = Change::ALL.iter().map(|change| self.short(model, *change).len());
        cells.chain([model.id.len()]).max().unwrap_or_default()
    }

    fn cell(&self, model: &Model, change: Change) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.model.id == model.id && cell.change == change)
    }

    fn short(&self, model: &Model, change: Change) -> String {
        let Some(cell) = self.cell(model, change) else { return String::new() };
        let fate = match cell.fate {
            Fate::GoesOn => "goes on",
            Fate::Refused { .. } => "refused",
        };
        let wrong = if cell.is_right() { "" } else { "*" };
        let alike = if model.same_as(change).is_some() { "+" } else { "" };
        format!("{fate}{wrong}{alike}")
    }

    fn refusals(&self, model: &Model) -> impl Iterator<Item = (Change, &str, &str)> {
        Change::ALL.into_iter().filter_map(|change| match &self.cell(model, change)?.fate {
            Fate::GoesOn => None,
            Fate::Refused { reason, words } => Some((change, reason.as_str(), words.as_str())),
        })
    }
}

/// What a reader should know of how the changes of a model are made.
fn notes(model: &Model) -> impl Iterator<Item = String> {
    let alike = Change::ALL.into_iter().filter_map(|change| {
        let same = model.same_as(change)?;
        Some(format!("\"{}\" is played as \"{}\".", change.title(), same.title()))
    });
    alike.chain(model.notes.iter().map(|note| (*note).to_owned()))
}

fn who(change: Change) -> &'static str {
    match change.partner() {
        Partner::Same => "the same peer",
        Partner::Other => "somebody else",
    }
}

fn indented(words: &str) -> String {
    words.replace('\n', "\n    ")
}
