//! The evidence as pages: `docs/codes.md` and `docs/quirks.md`.

use std::{collections::BTreeSet, fmt::Write as _};

use scenario::Profile;
use sim_host::CodeGroup;

use super::{CodeEvidence, QuirkEvidence};

/// The page that shows the error codes.
pub fn codes_page(codes: &[CodeEvidence]) -> String {
    let mut page = CODES_HEAD.to_owned();
    for group in CodeGroup::ALL {
        let _ = write!(page, "\n## {}\n\n{CODES_COLUMNS}", group.title());
        for evidence in codes.iter().filter(|evidence| evidence.code.group == group) {
            let code = &evidence.code;
            let parameters = if code.parameters.is_empty() { "none" } else { code.parameters };
            let _ = write!(page, "| `{}` | {parameters} | {} |", code.code, code.meaning);
            for profile in Profile::ALL {
                let shown = evidence.scenarios.get(profile.as_str()).map(links);
                let never = evidence.never.map(|why| format!("*never: {why}*"));
                let _ = write!(page, " {} |", shown.or(never).unwrap_or_default());
            }
            page.push('\n');
        }
    }
    page
}

/// The page that shows the quirks.
pub fn quirks_page(quirks: &[QuirkEvidence]) -> String {
    let mut page = QUIRKS_HEAD.to_owned();
    for quirk in quirks {
        let defaults =
            if quirk.on_in.is_empty() { "none".to_owned() } else { quirk.on_in.join(", ") };
        let never = quirk.never.map(|why| format!("*never: {why}*"));
        let shown = |scenarios| never.clone().unwrap_or_else(|| links(scenarios));
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {defaults} | {} | {} |",
            quirk.id,
            quirk.name,
            quirk.about.replace('|', "\\|"),
            shown(&quirk.on),
            shown(&quirk.off),
        );
    }
    page
}

/// Scenarios that a cell names; `trustrig codes CODE` names all.
const SHOWN: usize = 3;

fn links(scenarios: &BTreeSet<String>) -> String {
    let mut links: Vec<String> = scenarios
        .iter()
        .take(SHOWN)
        .map(|id| format!("[{id}](../scenarios/{id}/scenario.toml)"))
        .collect();
    if scenarios.len() > SHOWN {
        links.push(format!("{} more", scenarios.len() - SHOWN));
    }
    links.join(", ")
}

const CODES_HEAD: &str = "\
<!-- Made by `trustrig codes --markdown > docs/codes.md`; a test fails when it is stale. -->

# Error codes of xapi

Every error code that the calls about trust, external authentication and sessions can end with, and the
bundled scenarios in which they do, in each of the two profiles. Parameters are what follows the code in
`ErrorDescription`. `trustrig codes CODE` shows one of them with all its scenarios.
";

const CODES_COLUMNS: &str = "\
| Code | Parameters | It says | design-v1 | landed |
| --- | --- | --- | --- | --- |
";

const QUIRKS_HEAD: &str = "\
<!-- Made by `trustrig quirks --markdown > docs/quirks.md`; a test fails when it is stale. -->

# Quirks of xapi

Where the released toolstack behaves otherwise than one would expect, a toggle gives either behaviour; a
scenario sets it in `[world.quirks]`. *On* is the behaviour of the released toolstack. Each scenario named here
states the toggle and fails when it is turned round.

| Id | Toggle | On, and off | On by default in | Shown on by | Shown off by |
| --- | --- | --- | --- | --- | --- |
";
