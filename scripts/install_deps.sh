#!/usr/bin/env bash
# Installs what is missing: Debian packages, and LibTorch with the NCCL and CUDA-runtime wheels into the
# one dependency folder of this clone. Repeating it is quick and changes nothing.
#
#   scripts/install_deps.sh [--tools] [--check]
#     --tools   also clang, clang-format, clang-tidy, the sanitizer runtimes and what else .ci/run needs
#     --check   install nothing; say what is missing and exit 1 if anything is
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PACKAGES="cmake ninja-build g++ pkg-config libgrpc++-dev protobuf-compiler protobuf-compiler-grpc
  libprotobuf-dev libopenmpi-dev openmpi-bin libyaml-cpp-dev libspdlog-dev libcli11-dev
  nlohmann-json3-dev libssl-dev libcurl4-openssl-dev libsqlite3-dev
  prometheus-cpp-dev libisal-dev libonig-dev libicu-dev libzstd-dev zlib1g-dev libgtest-dev libgmock-dev librapidcheck-dev
  ccache mold time python3 python3-pip"
TOOLS="clang clang-format clang-tidy libclang-rt-14-dev shellcheck iproute2"
# Versions that belong together: LibTorch was built against this NCCL and this CUDA runtime. A machine
# without a GPU loads them as plain libraries.
WHEELS="torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85 nvidia-nccl-cu13==2.28.9"
# Reads our event files back in a test.
PYTHON_TOOLS="tensorboard==2.21.0"

# Debian 12 is what it is made for and tried on. What else is known to differ:
case $(. /etc/os-release && echo "$ID $VERSION_ID") in
  "ubuntu 24.04")
    # LLVM 14 is not the default there; scripts/common.sh puts it first on PATH.
    TOOLS="clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev shellcheck iproute2" ;;
  "ubuntu 22.04")
    fail "Ubuntu 22.04 has gRPC 1.30 and CMake 3.22, expected 1.39 and 3.25 or later (use the image of" \
      "deploy/Containerfile, Debian 12 or Ubuntu 24.04; docs/launching.md)" ;;
esac

check=no
tools=no
for argument in "$@"; do
  case $argument in
    --tools) tools=yes PACKAGES="$PACKAGES $TOOLS" ;;
    --check) check=yes ;;
    *) fail "unknown option '$argument' (known: --tools, --check)" ;;
  esac
done

missing_packages() {
  local package
  for package in $PACKAGES; do
    # A tool that is on PATH by other means counts as installed.
    case $package in
      python3 | cmake | ccache | mold | clang | clang-format | clang-tidy)
        command -v "$package" >/dev/null && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      time) [ -x /usr/bin/time ] && continue ;;
    esac
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
  done
}

install_packages() {
  local missing sudo=
  missing=$(missing_packages | tr '\n' ' ')
  if [ -z "$missing" ]; then
    say "system packages: all there"
    return
  fi
  if [ $check = yes ]; then
    say "system packages missing: $missing"
    return 1
  fi
  command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get: $missing"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing: $missing(run as root: apt-get install $missing)"
    sudo=sudo
  fi
  say "system packages: installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  local log=$DEPS_DIR/apt.log
  if ! { $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "the Debian package registry did not give: $missing(is it reachable? full log: $log)"
  fi
}

# Python packages into a folder of $DEPS_DIR, in whole or not at all.
install_wheels() { # FOLDER WHAT WHEELS PIP_OPTION...
  local folder=$DEPS_DIR/$1 what=$2 wheels=$3
  shift 3
  if [ -f "$folder/.installed" ] && [ "$(cat "$folder/.installed")" = "$wheels" ]; then
    say "$what: there ($folder)"
    return
  fi
  if [ $check = yes ]; then
    say "$what missing: $wheels"
    return 1
  fi
  say "$what: downloading into $folder"
  rm -rf "$folder" "$folder.tmp"
  local log=$folder.pip.log
  if ! PIP_ROOT_USER_ACTION=ignore python3 -m pip install -q --disable-pip-version-check --only-binary=:all: \
    "$@" --target "$folder.tmp" $wheels >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "the Python package registry did not give: $wheels (is it reachable? full log: $log)"
  fi
  printf '%s' "$wheels" >"$folder.tmp/.installed"
  mv "$folder.tmp" "$folder"
}

mkdir -p "$DEPS_DIR"
status=0
install_packages || status=1
install_wheels python "LibTorch (0.9 GB)" "$WHEELS" --no-deps --no-compile --python-version 3.11 || status=1
[ $tools = no ] || install_wheels tools "Python tools" "$PYTHON_TOOLS" || status=1
exit $status
