# Hand-written imported targets for the LibTorch wheel. The package's own CMake file insists on nvcc
# and a driver and rewrites compiler flags, so it is not used.
set(_python_dir "${PONDER_DEPS_DIR}/python")
set(_torch_dir "${_python_dir}/torch")
if(NOT EXISTS "${_torch_dir}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch is not in ${_torch_dir}: run scripts/install_deps.sh, "
                      "or configure with -DPONDER_TORCH=OFF for the programs that do not need it")
endif()

# torch/include also holds old protobuf and fmt headers that would shadow the system's.
set(_torch_include "${CMAKE_BINARY_DIR}/torch_include")
file(MAKE_DIRECTORY "${_torch_include}")
foreach(folder ATen c10 caffe2 torch)
  file(CREATE_LINK "${_torch_dir}/include/${folder}" "${_torch_include}/${folder}" SYMBOLIC)
endforeach()

add_library(ponder_torch INTERFACE)
target_include_directories(ponder_torch SYSTEM INTERFACE "${_torch_include}")
target_compile_definitions(ponder_torch INTERFACE PONDER_HAS_TORCH=1)
target_link_libraries(ponder_torch INTERFACE
  "${_torch_dir}/lib/libtorch_cpu.so" "${_torch_dir}/lib/libc10.so")
# gRPC brings this flag to most targets; the precompiled header and all its users must agree on it.
target_compile_options(ponder_torch INTERFACE -pthread)
target_link_options(ponder_torch INTERFACE
  "LINKER:--unresolved-symbols=ignore-in-shared-libs"
  "LINKER:-rpath,${_torch_dir}/lib")

# NCCL and the CUDA runtime: headers and libraries of the wheels, so that there is one of each.
set(_nccl_dir "${_python_dir}/nvidia/nccl")
set(_cuda_dir "${_python_dir}/nvidia/cu13")
add_library(ponder_nccl INTERFACE)
target_include_directories(ponder_nccl SYSTEM INTERFACE "${_nccl_dir}/include" "${_cuda_dir}/include")
target_link_libraries(ponder_nccl INTERFACE
  "${_nccl_dir}/lib/libnccl.so.2" "${_cuda_dir}/lib/libcudart.so.13")
target_link_options(ponder_nccl INTERFACE
  "LINKER:-rpath,${_nccl_dir}/lib" "LINKER:-rpath,${_cuda_dir}/lib")

# One precompiled header, reused by every target that sees ATen: identical flags are required.
file(WRITE "${CMAKE_BINARY_DIR}/aten_pch.cc" "// Carrier of the precompiled ATen header.\n")
add_library(ponder_aten_pch OBJECT "${CMAKE_BINARY_DIR}/aten_pch.cc")
target_link_libraries(ponder_aten_pch PRIVATE ponder_warnings ponder_torch)
target_precompile_headers(ponder_aten_pch PRIVATE <ATen/ATen.h>)
target_compile_options(ponder_aten_pch PRIVATE -fpch-preprocess)
if(PONDER_FAILPOINTS)
  target_compile_definitions(ponder_aten_pch PRIVATE PONDER_FAILPOINTS=1)
endif()
