#!/usr/bin/env bash
# Sets up and runs every test of the workspace. This is README's second command, and CI's first.
set -euo pipefail
cd "$(dirname "$0")/.."

ci/setup.sh
cargo test --workspace --all-features "$@"
