#!/usr/bin/env bash
# simulate.sh [factor]: the tests that need the feature `testing`: simulated worlds, the sweep over
# every yield point, failing system calls, random programs. A factor makes them so many times longer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

factor=${1:-1}
if [[ ! $factor =~ ^[1-9][0-9]*$ ]]; then
    printf 'the factor must be a positive number, not %s\n' "$factor" >&2
    exit 2
fi
export BETTERTHREADS_FACTOR=$factor
limit_seconds=$((600 * factor))

# Every test that needs a feature names it in Cargo.toml, so that there is one list.
mapfile -t names < <(
    awk '/^\[\[test\]\]/ { name = "" } /^name = / { name = $3 } /^required-features/ { print name }' \
        Cargo.toml | tr --delete '"'
)
tests=()
for name in "${names[@]}"; do tests+=(--test "$name"); done

# --locked: a dependency that moves must be a commit, not a surprise.
run cargo test --locked --features testing --no-run "${tests[@]}"
# timeout: a greenlet that is never woken must end as a failure.
# --default-signal: bash starts background jobs with these ignored, and tests rely on them.
run timeout --kill-after=10 "$limit_seconds" \
    env --default-signal=INT,QUIT cargo test --locked --features testing "${tests[@]}"
run cargo test --locked --features testing --doc testing
