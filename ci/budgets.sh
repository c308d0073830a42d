#!/usr/bin/env bash
# Counts the instructions of the hot paths (valgrind's callgrind) and fails when one crosses its budget
# in benches/budgets/budgets.txt. `accept [PATH ...]` makes what was counted the budget of these paths,
# or of all; `self-check` shows that the check can fail. Says so where there is no valgrind, or no x86-64,
# whose instructions the budgets are; or fails where the tools are promised (TRUSTRIG_REQUIRE_TOOLS).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(uname -m)" != x86_64 ] || ! command -v valgrind >/dev/null; then
    echo "budgets: SKIPPED: no x86-64, or no valgrind (Debian: apt-get install valgrind)" >&2
    [ -z "${TRUSTRIG_REQUIRE_TOOLS:-}" ]
    exit
fi
# The dependencies are those that the tests have built (opt-level 1); our own crates are optimised like
# them. A release build counts other numbers and shows the same changes, for four minutes more.
export CARGO_PROFILE_DEV_OPT_LEVEL=1
# A test is named for the features of dev-dependencies alone, with which the tests were built.
cargo build --quiet --workspace --all-features --bin budgets --test questions
exec "${CARGO_TARGET_DIR:-target}/debug/budgets" "$@"
