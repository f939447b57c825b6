#!/usr/bin/env bash
# repeat.sh N [filter]: runs each integration test binary N times and stops at the first failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# For tests that fail now and then; one run is no proof there. Not part of .ci/run.
count=${1:?usage: ci/repeat.sh N [test-filter]}
filter=${2:-}
if [[ ! $count =~ ^[1-9][0-9]*$ ]]; then
    printf 'N must be a positive number, not %s\n' "$count" >&2
    exit 2
fi
limit_seconds=120

work=$(mktemp --directory)
trap 'rm -r "$work"' EXIT
# Ctrl-C does not reach what timeout runs; without this, the loop would go on for ever.
trap 'exit 130' INT

# --no-run: cargo names the binaries on stderr as `Executable tests/x.rs (path)`; color off, so that
# the lines can be read.
run env CARGO_TERM_COLOR=never cargo test --locked --tests --no-run 2>&1 | tee "$work/build"
# parity and tidy read files and race with nobody.
mapfile -t binaries < <(
    sed -n 's|^ *Executable tests/.* (\(.*\))$|\1|p' "$work/build" |
        grep -Ev '/(parity|tidy)-[0-9a-f]*$'
)

arguments=()
if [[ -n $filter ]]; then arguments=("$filter"); fi

matching=()
for binary in "${binaries[@]}"; do
    if [[ $("$binary" --list "${arguments[@]}") == *": test"* ]]; then
        matching+=("$binary")
    fi
done
if ((${#matching[@]} == 0)); then
    printf 'no integration test matches %s\n' "${filter:-anything}" >&2
    exit 1
fi

for binary in "${matching[@]}"; do
    printf '+ timeout %d %s %s (%d times)\n' "$limit_seconds" "$binary" "$filter" "$count"
    for ((turn = 1; turn <= count; turn++)); do
        status=0
        # --kill-after: a test that blocks SIGTERM is killed.
        timeout --kill-after=10 "$limit_seconds" "$binary" "${arguments[@]}" \
            >"$work/output" 2>&1 </dev/null || status=$?
        if ((status != 0)); then
            cat "$work/output"
            printf '%s failed in turn %d of %d with status %d (124, 137: over %d s)\n' \
                "$binary" "$turn" "$count" "$status" "$limit_seconds" >&2
            exit 1
        fi
    done
done
printf 'no failure in %d turns of %d binaries\n' "$count" "${#matching[@]}"
