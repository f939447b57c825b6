#!/usr/bin/env bash
# Runs the examples of std's documentation and std's own tests on betterthreads, with nothing but the
# imports changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# std's source comes as a part of the toolchain. What is left out of it (tests/std/excused.rs) is said
# of the std of this version; another may have other tests.
version=$(sed -n 's/^rust-version = "\([0-9.]*\)"$/\1/p' Cargo.toml)
if ! rustc --version | grep -qF "rustc $version."; then
    if ! command -v rustup >/dev/null; then
        printf 'skipped: this is not Rust %s, and rustup is not there\n' "$version" >&2
        exit 0
    fi
    run rustup toolchain install "$version" --profile minimal
    export RUSTUP_TOOLCHAIN=$version
fi
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
