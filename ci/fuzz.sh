#!/usr/bin/env bash
# Fuzzes every target of every fuzz/ folder for some seconds each (default 60), as many at a time as
# there are processors, starting from its committed corpus; what is found goes below target/. This
# does what `cargo fuzz run --sanitizer none` does, with the stable compiler and without cargo-fuzz:
# the code is safe Rust, so what there is to find are panics, hangs and memory. Needs a C++ compiler;
# without one it says so, or fails where the tools are promised (TRUSTRIG_REQUIRE_TOOLS).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
if ! command -v c++ >/dev/null; then
    echo "fuzz: SKIPPED: no C++ compiler for libFuzzer (Debian: apt-get install g++)" >&2
    [ -z "${TRUSTRIG_REQUIRE_TOOLS:-}" ]
    exit
fi
target=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
# With --target, flags do not reach build scripts and macros.
flags=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")_RUSTFLAGS
coverage="-Cpasses=sancov-module -Cdebug-assertions"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=" -Cllvm-args=-sanitizer-coverage-$option"
done

runs=()
for manifest in $(git ls-files '*/fuzz/Cargo.toml'); do
    env "$flags=$coverage" cargo build --quiet --release --bins --manifest-path "$manifest" \
        --target "$target" --target-dir "$target_dir"
    folder=$(dirname "$manifest")
    for source in "$folder"/fuzz_targets/*.rs; do
        name=$(basename "$source" .rs)
        mkdir -p "$target_dir/found/$name"
        runs+=("$name $folder/corpus/$name")
    done
done

fuzz() {
    local name=$1 corpus=$2 log=$4/found/$1.log
    if ! "$4/$5/release/$name" "$4/found/$name" "$corpus" -artifact_prefix="$4/found/$name-" \
        -max_total_time="$3" -max_len=16384 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "fuzz: $name has found something; the input is at the end of $log" >&2
        return 1
    fi
    echo "fuzz: $name, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $3 s"
}
export -f fuzz
printf '%s\n' "${runs[@]}" |
    xargs -P "$(nproc)" -I{} bash -c "fuzz {} $seconds '$target_dir' $target"
