#!/usr/bin/env bash
# Configures and builds one preset (PONDER_PRESET, default dev). Arguments: targets, default all.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
[ -f "$BUILD_DIR/build.ninja" ] || cmake --preset "$PRESET"
cmake --build "$BUILD_DIR" -j "$JOBS" ${1:+--target "$@"}
