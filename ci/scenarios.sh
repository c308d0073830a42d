#!/usr/bin/env bash
# Runs the bundled scenarios twice with one seed, never writing a snapshot, and compares the two
# event files: they may differ in port numbers and wall times alone.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# With the features of the whole workspace and of its dev-dependencies (a test is named for these
# alone), so that what the tests have built is used.
cargo build --quiet --workspace --all-features --bin trustrig --test samba_client
for run in 1 2; do
    "${CARGO_TARGET_DIR:-target}"/debug/trustrig run scenarios --check --seed 7 --events "$out/$run.jsonl" --junit "$out/$run.xml"
done
normalise() {
    sed -E 's/"(port|wall_ms)":[0-9]+/"\1":0/g; s/(127\.[0-9.]+):[0-9]+/\1:0/g' "$1"
}
diff <(normalise "$out/1.jsonl") <(normalise "$out/2.jsonl")
echo "scenarios: two runs with one seed gave the same $(wc -l <"$out/1.jsonl") events"
