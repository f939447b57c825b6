#!/usr/bin/env bash
# Tests the twin that this machine would not choose by itself: the guard pages of older kernels.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# --cfg: makes the library believe that the kernel has no guard markers.
# CARGO_TARGET_DIR: other flags would make the next ordinary build start from nothing.
export RUSTFLAGS="--cfg betterthreads_mprotect" CARGO_TARGET_DIR="target/fallback"
# --locked: a dependency that moves must be a commit, not a surprise.
run cargo test --locked --no-run
# timeout: a greenlet that is never woken must end as a failure.
run timeout --kill-after=10 600 env --default-signal=INT,QUIT cargo test --locked

# The only tests that see this twin's system calls fail.
run cargo test --locked --features testing --test faults --no-run
run timeout --kill-after=10 600 cargo test --locked --features testing --test faults
