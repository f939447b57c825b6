#!/usr/bin/env bash
# Compares the public pages of the modules that std has too with std's, item by item; what is missing
# must be in a table of the module's documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# std's pages come as a part of the toolchain, and are of its version.
std_docs=$(rustc --print sysroot)/share/doc/rust/html/std
if [[ ! -f $std_docs/index.html ]]; then
    if ! command -v rustup >/dev/null; then
        printf 'skipped: the documentation of std is not installed, and rustup is not there\n' >&2
        exit 0
    fi
    run rustup component add rust-docs
fi

# The same flags as in docs.sh, or each would build what the other has built.
export RUSTDOCFLAGS="-D warnings"
run cargo doc --no-deps --locked --all-features

export BETTERTHREADS_STD_DOCS=$std_docs
export BETTERTHREADS_OWN_DOCS=${CARGO_TARGET_DIR:-target}/doc/betterthreads
# --include-ignored: one test needs the pages and is ignored without them; the others show that the
# reading works.
# --nocapture: how much was compared is a part of the result.
run cargo test --locked --test parity -- --include-ignored --nocapture
