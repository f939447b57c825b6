#!/usr/bin/env bash
# Installs the rivals that cargo does not bring, on Debian: Go and gevent; gevent outside of here.
set -euo pipefail
run() { printf '+ %s\n' "$*"; "$@"; }

# Python refuses to install into a Debian system; an environment of its own needs no root either.
environment=${XDG_DATA_HOME:-$HOME/.local/share}/betterthreads-peers

# A configuration question would wait for an answer that never comes.
export DEBIAN_FRONTEND=noninteractive
run apt-get -qq update
# --no-install-recommends: only what is listed here.
run apt-get -qq install --yes --no-install-recommends golang-go python3-venv
run python3 -m venv "$environment"
run "$environment/bin/pip" install --quiet --upgrade gevent

# `compare` takes the first python3 of the PATH.
# shellcheck disable=SC2016 # The user's shell expands this.
printf 'Now run:\nPATH=%s/bin:$PATH cargo run --release --manifest-path benches/Cargo.toml\n' \
    "$environment"
