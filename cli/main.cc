// The `ponder` program.
#include "cli/command_line.h"

int main(int argc, char** argv) { return ponder::RunCommandLine(argc, argv); }
