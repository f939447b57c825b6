#!/usr/bin/env bash
# Runs the examples of std's documentation and std's own tests on betterthreads, with nothing but the
# imports changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# std's source comes as a part of the toolchain, and is of its version.
if [[ ! -d $(rustc --print sysroot)/lib/rustlib/src/rust/library/std ]]; then
    if ! command -v rustup >/dev/null; then
        printf 'skipped: the source of std is not installed, and rustup is not there\n' >&2
        exit 0
    fi
    run rustup component add rust-src
fi

# A package of its own, so that what std's tests use is no dependency of the library.
export CARGO_TARGET_DIR="target/std"
arguments=(--manifest-path tests/std/Cargo.toml --locked)
# --no-run: the time to compile does not count towards the limit.
run cargo test "${arguments[@]}" --no-run
run timeout --kill-after=10 300 cargo test "${arguments[@]}" --test suites
run timeout --kill-after=10 300 cargo test "${arguments[@]}" --doc
