#!/usr/bin/env bash
# Fails when a committed test snapshot is referenced by no test. Reads the list that insta appends
# to $INSTA_SNAPSHOT_REFERENCES_FILE while the tests run. (Snapshots of scenarios are checked by
# `trustrig run` itself.)
set -euo pipefail
cd "$(dirname "$0")/.."

references=${1:?usage: ci/snapshots.sh REFERENCES_FILE}
unreferenced=$(comm -23 \
    <(git ls-files '*.snap' ':!scenarios/*' | xargs -r realpath | sort -u) \
    <(sort -u "$references" | xargs -r realpath -m | sort -u))
if [ -n "$unreferenced" ]; then
    echo "snapshots that no test refers to:" >&2
    echo "$unreferenced" >&2
    exit 1
fi
echo "snapshots: every committed one is referenced"
