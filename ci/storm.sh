#!/usr/bin/env bash
# storm.sh [factor]: mass kills, a million greenlets and a soak in release; the factor multiplies
# rounds and time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

factor=${1:-1}
if [[ ! $factor =~ ^[1-9][0-9]*$ ]]; then
    printf 'the factor must be a positive number, not %s\n' "$factor" >&2
    exit 2
fi
export BETTERTHREADS_FACTOR=$factor

# --locked: a dependency that moves must be a commit, not a surprise.
# --no-run: the time to compile does not count towards the limit.
run cargo test --locked --release --test storm --test million --test soak --no-run
# timeout: a greenlet that is never woken must end as a failure; --kill-after: a test that blocks
# SIGTERM is killed.
# --nocapture: the figures are a part of the result.
limit_seconds=$((120 * factor))
run timeout --kill-after=10 "$limit_seconds" \
    cargo test --locked --release --test storm -- --nocapture
# --ignored: it takes too much memory for every day; without that it says so and does nothing.
run timeout --kill-after=10 "$limit_seconds" \
    cargo test --locked --release --test million -- --ignored --nocapture
# --ignored: the soak takes too long for every day.
run timeout --kill-after=10 "$limit_seconds" \
    cargo test --locked --release --test soak -- --ignored --nocapture
