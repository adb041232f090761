# Language level, warnings, sanitizers, and the optional helpers of the build machine.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Line tables are enough for stack traces and halve the compile time of files that see ATen.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
# Contraction would let the compiler fuse a*b+c differently from file to file.
add_compile_options(-ffp-contract=off)

# Paths relative to the sources let every checkout of them share one cache.
find_program(PONDER_CCACHE ccache)
if(PONDER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${PONDER_CCACHE})
endif()
find_program(PONDER_MOLD mold)
if(PONDER_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(ponder_warnings INTERFACE)
target_compile_options(ponder_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
if(PONDER_WERROR)
  target_compile_options(ponder_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(ponder_warnings INTERFACE -Wthread-safety -Werror=thread-safety)
endif()

if(PONDER_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(PONDER_SANITIZER STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT PONDER_SANITIZER STREQUAL "")
  message(FATAL_ERROR "PONDER_SANITIZER: expected '', 'address' or 'thread', got '${PONDER_SANITIZER}'")
endif()
