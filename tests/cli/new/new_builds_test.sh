#!/usr/bin/env bash
# Usage: new_builds_test.sh PONDER. Adds one of each kind by `ponder new` to a copy of the sources, in an
# empty folder, builds what it needs without LibTorch, and runs the tests. The algorithm and its test are
# compiled, if LibTorch is there.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
. "$source_dir/tests/source_copy.sh"
ponder=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
copy_sources "$source_dir"

"$ponder" new task running_total
"$ponder" new reward brevity
"$ponder" new algorithm leave_one_out

cmake -S . -B build/free -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPONDER_TORCH=OFF -DPONDER_FAILPOINTS=ON
cmake --build build/free -j 2 --target ponder running_total_task_test brevity_reward_test registry_test \
  task_table_test config_reference_test
build/free/bin/ponder config-reference >configs/README.md
# The sources' own tests too: one more row must not be a mistake to them.
ctest --test-dir build/free --output-on-failure --no-tests=error -R \
  '^(running_total_task|brevity_reward|registry|task_table|config_reference)_test$'
for name in running_total brevity leave_one_out; do
  build/free/bin/ponder validate "configs/$name.yaml" >/dev/null
done

# A second one of the same name changes nothing.
before=$(find . -path ./build -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
! "$ponder" new task running_total
after=$(find . -path ./build -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
[ "$before" = "$after" ]

if [ ! -e .deps/python/torch/include ]; then
  echo "skipped: LibTorch is not in .deps, so the new algorithm was not compiled"
  exit 77
fi
mkdir torch_include
for folder in ATen c10 caffe2 torch; do
  ln -s "$(realpath .deps)/python/torch/include/$folder" "torch_include/$folder"
done
for file in trainer/algorithms/leave_one_out.cc tests/trainer/algorithms/leave_one_out_test.cc; do
  c++ -std=c++20 -Wall -Wextra -Wshadow -Werror -fsyntax-only -I. -Ibuild/free/proto -isystem torch_include "$file"
done
