#!/usr/bin/env bash
# Installs the Debian packages that the other scripts need; does nothing when all are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run() { printf '+ %s\n' "$*"; "$@"; }

# gcc links, libc6-dev brings the start files (only a recommendation of gcc), git lists the commits,
# valgrind runs some of the tests and counts instructions.
packages=(gcc libc6-dev git valgrind)

missing=()
for package in "${packages[@]}"; do
    # A removed package can keep its configuration files, so its status is asked, not its presence.
    # shellcheck disable=SC2016 # dpkg-query expands this, not the shell.
    status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
done

if ((${#missing[@]} == 0)); then
    printf 'nothing to install: %s\n' "${packages[*]}"
    exit 0
fi

# A configuration question would wait for an answer that never comes.
export DEBIAN_FRONTEND=noninteractive
# -qq: package progress would bury the tests' output.
run apt-get -qq update
# --no-install-recommends: only what is listed above, so that the list stays honest.
run apt-get -qq install --yes --no-install-recommends "${missing[@]}"
