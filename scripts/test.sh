#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.
#
#   scripts/test.sh [--fast] [ctest options]
#     --fast   leave out the tests labelled slow
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
exclude=()
if [ "${1:-}" = --fast ]; then
  exclude=(-LE slow)
  shift
fi
timed "install" scripts/install_deps.sh
timed "build" scripts/build.sh
timed "tests" ctest --test-dir "$BUILD_DIR" --output-on-failure -j "$JOBS" "${exclude[@]}" "$@"
