#!/usr/bin/env bash
# Runs every test, in debug, in release, and in simulated worlds. With arguments, which are passed on
# to cargo test, the first two only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# A greenlet that is never woken is our typical bug, so a hang must end as a failure.
limit_seconds=600

test_in_profile() {
    # --locked: a dependency that moves must be a commit, not a surprise.
    # --no-run: the time to compile does not count towards the limit.
    run cargo test --locked --no-run "$@"

    # timeout signals its whole process group, hence the hanging test as well as cargo;
    # --kill-after: a test that blocks SIGTERM is killed. Ctrl-C does not reach that group, so the
    # group runs in the background and the trap passes the end on;
    # --default-signal: bash starts background jobs with these ignored, and tests rely on them.
    printf '+ timeout %d cargo test --locked %s\n' "$limit_seconds" "$*"
    timeout --kill-after=10 "$limit_seconds" \
        env --default-signal=INT,QUIT cargo test --locked "$@" &
    trap 'kill $!; exit 130' INT TERM
    local status=0
    wait $! || status=$?
    trap - INT TERM
    # 124: stopped by SIGTERM; 137: by SIGKILL.
    if ((status == 124 || status == 137)); then
        printf 'the tests did not finish within %d s\n' "$limit_seconds" >&2
    fi
    return "$status"
}

test_in_profile "$@"
# --release: the optimizer moves what unwinding and switching rely on. First, because the
# arguments may end with `-- <arguments of the test binary>`.
test_in_profile --release "$@"
if (($# == 0)); then run ci/simulate.sh; fi
