#!/usr/bin/env bash
# Puts in place what the project needs; called by the Makefile. Safe to call again.
#   setup.sh environment   .venv with the locked packages, and the kernels compiled once
#   setup.sh debian        mosquitto and chromium, for the tests against the real ones
set -euo pipefail
cd "$(dirname "$0")/.."

install_debian() {
  # $@: packages. Only root can; anybody else is told what to ask for.
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "== Debian packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    echo "!! not root: ask your administrator for: apt-get install $*" >&2
    return 1
  fi
}

environment() {
  local python=${PYTHON:-python3.11}
  command -v "$python" >/dev/null || python=python3
  if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    install_debian python3 python3-venv
    python=python3
  fi
  echo "== virtual environment .venv ($("$python" --version))"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  echo "== Python packages, as locked in requirements.lock (a minute or two)"
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
  .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
  echo "== compiling the kernels once, so that every later start is quick"
  .venv/bin/python -c 'import detectors; detectors.warm()'
  touch .venv/.ready
}

debian() {
  local missing=()
  [ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || missing+=(mosquitto)
  command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
  [ ${#missing[@]} = 0 ] || install_debian "${missing[@]}" \
    || echo "!! tests that need ${missing[*]} will be skipped" >&2
}

"$@"
