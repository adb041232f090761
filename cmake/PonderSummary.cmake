message(STATUS "Ponder ${PROJECT_VERSION}: ${CMAKE_BUILD_TYPE}, ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
if(PONDER_TORCH)
  message(STATUS "  backends: local, mpi (${MPI_C_VERSION}), nccl (compiled in; needs a device at run time)")
else()
  message(STATUS "  backends: none (PONDER_TORCH=OFF builds the torch-free targets only)")
endif()
message(STATUS "  failpoints: ${PONDER_FAILPOINTS}; sanitizer: '${PONDER_SANITIZER}'; "
               "ccache: ${PONDER_CCACHE}; mold: ${PONDER_MOLD}")
