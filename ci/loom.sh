#!/usr/bin/env bash
# loom.sh [N]: explores the models of what threads do to each other; N (1) is how far.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

factor=${1:-1}
if [[ ! $factor =~ ^[1-9]$ ]]; then
    printf 'N must be a digit from 1, not %s\n' "$factor" >&2
    exit 2
fi
# One more preemption is about ten times the work. Most bugs need one or two.
export LOOM_MAX_PREEMPTIONS=$((2 + factor))
limit_seconds=$((300 * 10 ** (factor - 1)))

# A package of its own, so that loom is no dependency of the library; its build reads the library's
# files, and fails where a twin no longer finds its place in them.
# CARGO_TARGET_DIR: beside the library's own results, which it would not share anyway.
export CARGO_TARGET_DIR="target/loom"
arguments=(--manifest-path tests/loom/Cargo.toml --locked --release)
# --no-run: the time to compile does not count towards the limit.
run cargo test "${arguments[@]}" --no-run
run timeout --kill-after=10 "$limit_seconds" cargo test "${arguments[@]}"
