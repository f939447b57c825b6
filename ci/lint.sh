#!/usr/bin/env bash
# Runs clippy with and without the features, and checks the subjects of the branch's commits.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# --all-targets: tests and examples are read by users too.
# --locked: a dependency that moves must be a commit, not a surprise.
# -D warnings: a warning that may stay is one that nobody reads.
run cargo clippy --all-targets --locked -- -D warnings
run cargo clippy --all-targets --locked --all-features -- -D warnings

# Characters, not bytes, count towards the length of a subject.
export LC_ALL=C.UTF-8

# A layer or a part of the repository, then the text: `sched: finish tokens before parking`.
subject_shape='^[a-z][a-z0-9_/,-]*: [^[:space:]]'
subject_limit=60

# safe.directory: CI may run as another user than the one who made the checkout.
in_git() { git -c safe.directory="$PWD" "$@"; }

if ! in_git rev-parse --quiet --verify HEAD >/dev/null; then
    printf 'no commit to check\n'
    exit 0
fi

printf '+ %s\n' 'git log --no-merges --format="%h %s"'
# The log is read whole first, so that a failing git fails this script.
# --no-merges: the subject of a merge is made by git.
log=$(in_git log --no-merges --format='%h %s')
offenders=0
while read -r commit subject; do
    if ((${#subject} > subject_limit)); then
        printf '%s: subject has %d characters, %d allowed: %s\n' \
            "$commit" "${#subject}" "$subject_limit" "$subject"
        offenders=$((offenders + 1))
    elif [[ ! $subject =~ $subject_shape ]]; then
        printf '%s: subject is not "layer: imperative text": %s\n' "$commit" "$subject"
        offenders=$((offenders + 1))
    fi
done <<<"$log"
((offenders == 0))
