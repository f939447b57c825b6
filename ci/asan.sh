#!/usr/bin/env bash
# asan.sh [factor [arguments]]: runs every test under AddressSanitizer, as many times as the factor
# says; arguments, such as --release, are for cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

factor=${1:-1}
if [[ ! $factor =~ ^[1-9][0-9]*$ ]]; then
    printf 'the factor must be a positive number, not %s\n' "$factor" >&2
    exit 2
fi
arguments=("${@:2}")
limit_seconds=120

# RUSTC_BOOTSTRAP: -Z is for nightly compilers; every other one has the sanitizer too and obeys when
# told so. So it is the stable compiler that is examined, and no second one has to be installed.
# force-frame-pointers: who allocated something is found out by them.
# CARGO_TARGET_DIR: other flags would make the next ordinary build start from nothing.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="target/asan"
export RUSTFLAGS="-Zsanitizer=address -Cforce-frame-pointers=yes"

options=(
    # It would keep the variables of functions elsewhere than on the stack, and is not told when a
    # greenlet is over: megabytes would stay behind for each.
    detect_stack_use_after_return=0
    # Tests expect std's report of a stack overflow, and ours, and the signal itself. A wild access
    # to memory still ends the test, by SIGSEGV.
    handle_segv=0
    # The stacks for those reports are std's and ours too.
    use_sigaltstack=0
)
ASAN_OPTIONS=$(IFS=: && printf '%s' "${options[*]}")
# print_suppressions: tests compare what their processes print.
LSAN_OPTIONS="suppressions=$PWD/ci/leaks.supp:print_suppressions=0"
# The suppressions name functions. addr2line knows them; it comes with the linker.
ASAN_SYMBOLIZER_PATH=$(command -v addr2line)
export ASAN_OPTIONS LSAN_OPTIONS ASAN_SYMBOLIZER_PATH

work=$(mktemp --directory)
trap 'rm -r "$work"' EXIT
# Ctrl-C does not reach what timeout runs; without this, the loop would go on for ever.
trap 'exit 130' INT

# --target: build scripts are then compiled without these flags, although it is this machine.
# --features: sanitizer tells of each switch to another stack, testing brings more tests.
# --no-run: cargo names the binaries on stderr as `Executable tests/x.rs (path)`; color off, so that
# the lines can be read.
run env CARGO_TERM_COLOR=never cargo test --locked --no-run --features sanitizer,testing \
    --target "$(rustc --print host-tuple)" "${arguments[@]}" 2>&1 | tee "$work/build"
mapfile -t binaries < <(sed -n 's|^ *Executable .* (\(.*\))$|\1|p' "$work/build")
if ((${#binaries[@]} == 0)); then
    printf 'cargo named no binaries\n' >&2
    exit 1
fi

# Runs a test binary; its output is shown only if it fails.
run_tests() {
    local status=0
    # --kill-after: a test that blocks SIGTERM is killed.
    timeout --kill-after=10 "$limit_seconds" "$@" >"$work/output" 2>&1 </dev/null || status=$?
    if ((status != 0)); then
        cat "$work/output"
        printf '%s failed with status %d (124, 137: over %d s)\n' \
            "$1" "$status" "$limit_seconds" >&2
    fi
    return "$status"
}

# Runs a test that does what must not be done.
must_be_reported() {
    local binary=$1 test=$2 report=$3
    printf '+ %s --ignored %s # must fail\n' "$binary" "$test"
    if "$binary" --ignored "$test" >"$work/output" 2>&1; then
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
    name=${binary##*/} leaks=1 skipped=()
    case ${name%-*} in
    parity | tidy) continue ;; # They read files.
    # They check that memory stops growing. The sanitizer keeps what is freed for a while.
    faults | sweep) continue ;;
    defects)
        must_be_reported "$binary" a_greenlet_reads_what_was_freed heap-use-after-free
        must_be_reported "$binary" a_greenlet_reads_beside_a_local stack-buffer-overflow
        must_be_reported "$binary" a_greenlet_forgets_a_box 'detected memory leaks'
        continue
        ;;
    # Its processes end with greenlets that wait. What those hold is no leak, but is taken for one,
    # because only the stacks of threads are searched.
    ends) leaks=0 ;;
    # Its processes run out of memory; so would the search, and in two of them the sanitizer itself.
    net_errors)
        leaks=0
        skipped=(--skip without_private_memory_for_a_stack --skip without_a_mapping_for_a_stack)
        ;;
    # With the sanitizer no function probes its stack, so a large frame gets past any guard.
    peers) skipped=(--skip a_frame_that_is_larger_than_the_guard_does_not_get_past_it) ;;
    esac
    printf '+ detect_leaks=%d %s %s (%d times)\n' "$leaks" "$binary" "${skipped[*]}" "$factor"
    for ((turn = 1; turn <= factor; turn++)); do
        ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=$leaks" run_tests "$binary" "${skipped[@]}"
    done
done
printf 'no report in %d turns\n' "$factor"
