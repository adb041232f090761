// For tests that run under mpirun: one communicator for the whole program, and a main.
#pragma once

#include "trainer/comm/communicator.h"

namespace ponder {

// Defined by the test: how the communicator is made.
CommOptions WorldOptions();

// The communicator of all ranks; alive while tests run. Every rank runs the same tests in the same
// order.
Communicator& World();

}  // namespace ponder
