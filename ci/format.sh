#!/usr/bin/env bash
# Checks that every Rust file is formatted as rustfmt.toml says; changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# --all: with the packages of this workspace, should there ever be more than one.
run cargo fmt --all --check

# The benchmarks are a package of their own, so that their rivals are not our dependencies.
if [[ -f benches/Cargo.toml ]]; then
    run cargo fmt --all --check --manifest-path benches/Cargo.toml
fi

# So is the program whose instructions are counted, apart from them.
run cargo fmt --all --check --manifest-path benches/count/Cargo.toml

# So are the models for loom.
run cargo fmt --all --check --manifest-path tests/loom/Cargo.toml

# And what runs std's own tests.
run cargo fmt --all --check --manifest-path tests/std/Cargo.toml
