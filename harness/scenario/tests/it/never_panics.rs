//! No text makes the parser panic, every mistake can be shown, and what it takes the schema takes.

use proptest::prelude::*;
use scenario::{Colour, parse};

use crate::{SOUND, schema, vocabulary};

/// Words that occur in scenarios, joined in ways that nobody would write.
fn nearly_a_scenario() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "version",
        "id",
        "world",
        "[world]",
        "[[world.host]]",
        "[[world.domain]]",
        "[[step]]",
        "[[world.domain.dc]]",
        "[step.expect]",
        "name",
        "pool",
        ".",
        "=",
        "=",
        "\n",
        "\n",
        "\n",
        "1",
        "-1",
        "0x",
        "1.5",
        "true",
        "\"host1\"",
        "\"dc1\"",
        "\"ref:host1\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        "clock.advance",
        "\"8d\"",
        "expect.error",
        "code",
        "\"ä€😀\"",
        "\t",
        "\r\n",
        "pool.external_auth_set_ldaps",
        "ldaps",
        "2026-08-21T02:00:23Z",
        "faults",
        "#",
        "'''",
        "\"\"\"",
        "inf",
        "99999999999999999999",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

/// A sound scenario with one piece cut out and another put in.
fn damaged() -> impl Strategy<Value = String> {
    (0..SOUND.len(), 0..40_usize, nearly_a_scenario()).prop_map(|(at, length, piece)| {
        let end = (at + length).min(SOUND.len());
        format!("{}{piece}{}", &SOUND[..at], &SOUND[end..])
    })
}

fn check(text: &str) {
    let Err(mistakes) = parse("any.toml", text, &vocabulary()) else {
        assert_eq!(schema::accepts(text), Some(true));
        return;
    };
    assert!(!mistakes.is_empty());
    for mistake in mistakes.iter() {
        assert!(mistake.span().start <= mistake.span().end && mistake.span().end <= text.len());
        assert!(mistake.line() >= 1 && mistake.column() >= 1);
    }
    mistakes.render(Colour::Plain);
    mistakes.render(Colour::Ansi);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_arbitrary_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn on_words_of_the_language(text in nearly_a_scenario()) {
        check(&text);
    }

    #[test]
    fn on_damaged_scenarios(text in damaged()) {
        check(&text);
    }
}

#[test]
fn deep_nesting_is_an_ordinary_mistake() {
    for (open, close) in [("[", "]"), ("{ a = ", "}")] {
        check(&format!("x = {}1{}", open.repeat(10_000), close.repeat(10_000)));
    }
    check(&format!("{} = 1", ["a"; 10_000].join(".")));
    check(&format!("[{}]", ["a"; 10_000].join(".")));
}
