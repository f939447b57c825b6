#!/usr/bin/env bash
# Checks the stated compiler version, and that a build which cannot unwind is refused.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

if ! grep -E '^rust-version = "[0-9.]+"$' Cargo.toml; then
    printf 'Cargo.toml states no rust-version\n' >&2
    exit 1
fi
# cargo itself refuses a toolchain older than rust-version.
# --locked: a dependency that moves must be a commit, not a surprise.
run cargo check --locked

# A kill unwinds; without unwinding it would end the process, so such a build must not exist.
# --target-dir: other flags would make the next ordinary build start from nothing.
errors=$(mktemp)
trap 'rm "$errors"' EXIT
if run env RUSTFLAGS="-Cpanic=abort" cargo check --lib --locked --target-dir target/abort \
    2>"$errors"; then
    printf 'a build with panic = "abort" was accepted\n' >&2
    exit 1
fi
# It must be our own refusal, not some other error.
if ! grep -F 'panic = "abort"' "$errors"; then
    cat "$errors" >&2
    printf 'the build failed, but not with the text: panic = "abort"\n' >&2
    exit 1
fi
