#!/usr/bin/env bash
# Fuzzes every target of every fuzz/ folder for some seconds each (default 60), starting from its
# committed corpus; what is found goes below target/. libFuzzer needs compiler flags that stable
# hides, hence RUSTC_BOOTSTRAP. Needs cargo-fuzz (`cargo install cargo-fuzz`) and a C++ compiler;
# without them it says so, or fails where the tools are promised (TRUSTRIG_REQUIRE_TOOLS).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
if ! command -v cargo-fuzz >/dev/null; then
    echo "fuzz: skipped, for want of cargo-fuzz (cargo install cargo-fuzz)" >&2
    [ -z "${TRUSTRIG_REQUIRE_TOOLS:-}" ]
    exit
fi
export RUSTC_BOOTSTRAP=1
target_dir=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
for manifest in $(git ls-files '*/fuzz/Cargo.toml'); do
    folder=$(dirname "$manifest")
    for source in "$folder"/fuzz_targets/*.rs; do
        name=$(basename "$source" .rs)
        found=$target_dir/found/$name
        mkdir -p "$found"
        echo "fuzz: $folder $name, $seconds s"
        cargo fuzz run --fuzz-dir "$folder" --target-dir "$target_dir" "$name" \
            "$found" "$folder/corpus/$name" -- \
            -max_total_time="$seconds" -max_len=16384 -timeout=10 -print_final_stats=1 -verbosity=0
    done
done
