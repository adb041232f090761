#!/usr/bin/env bash
# From a fresh clone to a policy that reasons: installs what is missing, builds, trains the embedded
# example, shows what it learned. Repeating it continues, or shows the finished result.
#
#   scripts/quickstart.sh [--fresh] [--set key=value ...]
#     --fresh   start a new run; the old one is kept under another name
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
timed "install" scripts/install_deps.sh
timed "build" scripts/build.sh
timed "run" "$BUILD_DIR/bin/ponder" up configs/quickstart.yaml "$@"
