#!/usr/bin/env bash
# count.sh [--write]: counts the instructions of single operations and compares them with the
# baseline; --write makes the baseline anew.
set -euo pipefail
# Without it, what fails inside of $(…) goes on.
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

mode=${1:---compare}
if (($# > 1)) || [[ $mode != --compare && $mode != --write ]]; then
    printf 'usage: ci/count.sh [--write]\n' >&2
    exit 2
fi

# Instructions, unlike nanoseconds, are the same each time, also on a busy machine: what differs has
# been changed. Only those of the process count; what system calls cost is for benches/.
baseline=benches/count/baseline.txt

# What is inlined is for the compiler to decide, how malloc and the unwinder go about it for the C
# library and libgcc; and both choose by processor. So the baseline names them, and another machine
# has more room: enough for their differences, not for an operation that does something twice.
toolchain="$(uname -m), $(rustc --version | cut -d ' ' -f 1,2), $(getconf GNU_LIBC_VERSION)"
toolchain+=", gcc $(gcc -dumpfullversion)"
percent=5
percent_elsewhere=30
# For operations of so few instructions that one more is already some percent.
instructions=5

# A package of its own, so that nothing but the library is compiled with it.
export CARGO_TARGET_DIR="target/count"
# --locked: a dependency that moves must be a commit, not a surprise.
run cargo build --locked --release --manifest-path benches/count/Cargo.toml
program="$CARGO_TARGET_DIR/release/betterthreads-count"

work=$(mktemp --directory)
trap 'rm -r "$work"' EXIT
trap 'exit 130' INT

# The instructions of a whole process that does so many batches of an operation.
count_all() {
    # timeout: a greenlet that is never woken must end as a failure.
    if ! timeout --kill-after=10 60 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$program" "$1" "$2" >"$work/output" 2>&1 </dev/null; then
        cat "$work/output" >&2
        printf '%s failed\n' "$1" >&2
        return 1
    fi
    grep --only-matching --perl-regexp 'Collected : \K[0-9]+$' "$work/output"
}

# The instructions of one operation: two runs of different lengths begin alike.
count_one() {
    local few=1 many=4 batch=1000 short long
    short=$(count_all "$1" "$few")
    long=$(count_all "$1" "$many")
    printf '%d\n' $(((long - short) / ((many - few) * batch)))
}

mapfile -t operations < <("$program")
if ((${#operations[@]} == 0)); then
    printf 'the program names no operations\n' >&2
    exit 1
fi

if [[ $mode == --write ]]; then
    {
        printf '# Instructions of one operation; made by ci/count.sh --write.\n'
        printf '# %s\n' "$toolchain"
        for operation in "${operations[@]}"; do
            # On a line of its own, so that a failure ends the script.
            now=$(count_one "$operation")
            printf '%-16s %7d\n' "$operation" "$now"
        done
    } >"$work/baseline"
    cp "$work/baseline" "$baseline"
    cat "$baseline"
    exit 0
fi

declare -A before=()
while read -r operation count; do
    [[ $operation == '#' ]] || before[$operation]=$count
done <"$baseline"
made_with=$(sed -n '2s/^# //p' "$baseline")
if [[ $made_with != "$toolchain" ]]; then
    percent=$percent_elsewhere
    printf 'the baseline was made with %s\nthis is %s\n' "$made_with" "$toolchain"
fi

dearer=() cheaper=() unknown=()
printf '%-16s %9s %9s %9s\n' operation baseline now difference
for operation in "${operations[@]}"; do
    now=$(count_one "$operation")
    if [[ ! -v before[$operation] ]]; then
        unknown+=("$operation")
        printf '%-16s %9s %9d\n' "$operation" none "$now"
        continue
    fi
    then=${before[$operation]}
    unset "before[$operation]"
    room=$((then * percent / 100 + instructions))
    # In tenths of a percent, for want of fractions.
    change=$(((now - then) * 1000 / then))
    sign=+
    if ((change < 0)); then sign=-; fi
    printf '%-16s %9d %9d %7s%d.%d%%\n' "$operation" "$then" "$now" "$sign" \
        $((${change#-} / 10)) $((${change#-} % 10))
    if ((now > then + room)); then dearer+=("$operation"); fi
    if ((now < then - room)); then cheaper+=("$operation"); fi
done

printf 'allowed: %d%% and %d instructions\n' "$percent" "$instructions"
if ((${#cheaper[@]} > 0)); then
    printf 'cheaper than the baseline, which should be made anew: %s\n' "${cheaper[*]}"
fi
if ((${#dearer[@]} > 0)); then printf 'dearer than the baseline: %s\n' "${dearer[*]}" >&2; fi
if ((${#unknown[@]} > 0)); then printf 'not in the baseline: %s\n' "${unknown[*]}" >&2; fi
if ((${#before[@]} > 0)); then printf 'only in the baseline: %s\n' "${!before[*]}" >&2; fi
if ((${#dearer[@]} + ${#unknown[@]} + ${#before[@]} > 0)); then
    # shellcheck disable=SC2016 # The backquotes are for the reader.
    printf 'if that is meant: `ci/count.sh --write`, and commit %s\n' "$baseline" >&2
    exit 1
fi
