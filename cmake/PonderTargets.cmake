# One way to declare a library, a program and a test.
#
#   ponder_library(NAME SOURCES a.cc b.cc [DEPS ...] [TORCH])
#   ponder_program(NAME SOURCES main.cc   [DEPS ...] [TORCH])
#   ponder_test(NAME SOURCES x_test.cc    [DEPS ...] [TORCH] [LABELS unit] [RANKS n ...] [TIMEOUT s])
#
# TORCH: the sources may include ATen; they share one precompiled header.
# RANKS: the test is started by mpirun with that many ranks and gets the label `mpi`.

function(_ponder_common target is_torch)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE ponder_warnings)
  if(PONDER_FAILPOINTS)
    target_compile_definitions(${target} PRIVATE PONDER_FAILPOINTS=1)
  endif()
  if(is_torch)
    target_link_libraries(${target} PRIVATE ponder_torch)
    target_precompile_headers(${target} REUSE_FROM ponder_aten_pch)
    # The precompiled header is -fPIC code; by its own choice CMake compiles executables as -fPIE.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

function(ponder_library name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  _ponder_common(${name} "${ARG_TORCH}")
endfunction()

function(ponder_program name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  _ponder_common(${name} "${ARG_TORCH}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()

function(ponder_test name)
  cmake_parse_arguments(ARG "TORCH" "TIMEOUT" "SOURCES;DEPS;LABELS;RANKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock)
  _ponder_common(${name} "${ARG_TORCH}")
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(environment
      "PONDER_SOURCE_DIR=${CMAKE_SOURCE_DIR};PONDER_BIN_DIR=${CMAKE_BINARY_DIR}/bin;OMP_NUM_THREADS=1")
  if(ARG_RANKS)
    foreach(ranks IN LISTS ARG_RANKS)
      add_test(NAME ${name}_np${ranks}
               COMMAND ${CMAKE_SOURCE_DIR}/scripts/mpirun.sh -np ${ranks} $<TARGET_FILE:${name}>)
      set_tests_properties(${name}_np${ranks} PROPERTIES LABELS "mpi;${ARG_LABELS}" PROCESSORS 2
                           TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${environment}")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
                         ENVIRONMENT "${environment}")
  endif()
endfunction()
