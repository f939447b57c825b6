#!/usr/bin/env bash
# Runs a choice of the tests under valgrind, which sees what compiled code does, also std's and C's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# What unwinds, switches, leaves early and hands over. The others are slow there, or mostly about
# the kernel.
tests=(defects fs kill local lock_queue net scope sync sync_kill unwind)
limit_seconds=180

memcheck=(
    valgrind --quiet
    # Not a status that a test binary has.
    --error-exitcode=99
    # definite: what std and libc keep until the end counts as reachable, a thread that has not
    # quite ended as a possible loss.
    --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
    # Threads run one at a time; a thread that spins would keep the others from their turns.
    --fair-sched=yes
    --num-callers=30
)
# A backtrace would read all debug information, for longer than tests have time.
export RUST_BACKTRACE=0

work=$(mktemp --directory)
trap 'rm -r "$work"' EXIT
# Ctrl-C does not reach what timeout runs; without this, the loop would go on for ever.
trap 'exit 130' INT

# --no-run: cargo names the binaries on stderr as `Executable tests/x.rs (path)`; color off, so that
# the lines can be read.
run env CARGO_TERM_COLOR=never cargo test --locked --no-run "${tests[@]/#/--test=}" 2>&1 |
    tee "$work/build"
mapfile -t binaries < <(sed -n 's|^ *Executable .* (\(.*\))$|\1|p' "$work/build")
if ((${#binaries[@]} == 0)); then
    printf 'cargo named no binaries\n' >&2
    exit 1
fi

# Runs a test binary; its output is shown only if it fails.
run_tests() {
    printf '+ %s\n' "$*"
    local status=0
    # --test-threads: side by side they would take turns, and each has a limit of its own.
    # --kill-after: a test that blocks SIGTERM is killed.
    timeout --kill-after=10 "$limit_seconds" "${memcheck[@]}" "$@" --test-threads=1 \
        >"$work/output" 2>&1 </dev/null || status=$?
    if ((status != 0)); then
        cat "$work/output"
        printf '%s failed with status %d (99: reported; 124, 137: over %d s)\n' \
            "$1" "$status" "$limit_seconds" >&2
    fi
    return "$status"
}

# Runs a test that does what must not be done.
must_be_reported() {
    local binary=$1 test=$2 report=$3
    printf '+ %s --ignored %s # must fail\n' "$binary" "$test"
    if "${memcheck[@]}" "$binary" --ignored "$test" >"$work/output" 2>&1; then
        printf '%s went unnoticed\n' "$test" >&2
        return 1
    fi
    if ! grep --fixed-strings "$report" "$work/output"; then
        cat "$work/output"
        printf '%s failed, but was not reported as %s\n' "$test" "$report" >&2
        return 1
    fi
}

for binary in "${binaries[@]}"; do
    name=${binary##*/}
    case ${name%-*} in
    defects)
        must_be_reported "$binary" a_greenlet_reads_what_was_freed 'Invalid read'
        must_be_reported "$binary" a_greenlet_forgets_a_box 'definitely lost'
        ;;
    # One of the four ways in which the same tests are run.
    fs) run_tests "$binary" greenlets:: ;;
    # One makes a hundred thousand greenlets; the others count on getting somewhere in milliseconds.
    kill)
        run_tests "$binary" --skip its_stack_is_given_back \
            --skip a_value_whose_cloner_is_killed_is_there_for_the_next \
            --skip data_found_in_the_same_turn_as_a_time_out_is_returned \
            --skip a_killer_that_is_killed_leaves_the_kill_in_effect
        ;;
    # One of the four ways in which the same tests are run, without what transfers megabytes.
    net) run_tests "$binary" greenlets::{closing,listener,stream} ;;
    # It counts on getting somewhere in twenty milliseconds.
    unwind) run_tests "$binary" --skip a_kill_that_came_meanwhile_is_not_raised_with_it ;;
    # So do those of the initializers.
    sync_kill) run_tests "$binary" --skip initializers ;;
    *) run_tests "$binary" ;;
    esac
done
