# Sourced by tests that build in a copy of the sources.

# copy_sources FROM: puts the sources, without what was built or run, into the working folder.
copy_sources() {
  tar -C "$1" --exclude=./build --exclude=./.deps --exclude=./.git --exclude=./runs -cf - . | tar -xf -
  [ ! -e "$1/.deps" ] || ln -s "$(realpath "$1/.deps")" .deps
}
