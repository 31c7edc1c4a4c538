#!/bin/bash
# run.sh [PYTEST ARGUMENTS]: tests services in a container with systemd as PID 1.
# Needs root, systemd-nspawn and, the first time, debootstrap; see build.sh.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
IMPTRACE_TEST_TREE=$(bash "$here/build.sh")
export IMPTRACE_TEST_TREE
cd "$here/../.."
exec "${PYTHON:-$PWD/.venv/bin/python}" -m pytest tests/container "$@"
