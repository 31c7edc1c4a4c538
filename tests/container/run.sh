#!/bin/bash
# run.sh [PYTEST ARGUMENTS]: tests services in containers with systemd as PID 1.
# Needs root, systemd-nspawn and, the first time, debootstrap; see build.sh. What takes its units from
# NixOS needs IMPERMANENCE, PRESERVATION and HOME_MANAGER, or a tree in NIXPKGS, and is skipped without.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
# Both at once: most of the time goes into the mirror and into unpacking.
exec {newer}< <(bash "$here/build.sh" trixie)
IMPTRACE_TEST_TREE=$(bash "$here/build.sh" bookworm)
IMPTRACE_TEST_NEWER_TREE=$(cat <&"$newer")
[[ -n $IMPTRACE_TEST_NEWER_TREE ]]
IMPTRACE_TEST_SERVICES=$(bash "$here/services.sh" "$IMPTRACE_TEST_TREE")
export IMPTRACE_TEST_TREE IMPTRACE_TEST_NEWER_TREE IMPTRACE_TEST_SERVICES
cd "$here/../.."
exec "${PYTHON:-$PWD/.venv/bin/python}" -m pytest tests/container "$@"
