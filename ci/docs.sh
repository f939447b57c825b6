#!/usr/bin/env bash
# Builds the documentation, first with private items, then as users see it; a warning fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# A broken link is only a warning by default.
export RUSTDOCFLAGS="-D warnings"

# --no-deps: the documentation of dependencies is not ours to mend.
# --all-features: links into a module that a feature adds are checked as well.
# --document-private-items: the inside is documented for contributors, its links must work too.
run cargo doc --no-deps --locked --all-features --document-private-items
# Last, so that target/doc holds the public pages; fails where a public page links a private item.
run cargo doc --no-deps --locked --all-features
