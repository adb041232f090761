#include "core/base/runtime_libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RuntimeLibrariesTest, KnowsALibraryByNameWhateverItsVersionAndHash) {
  const RuntimeLibraries found = ParseRuntimeLibraries(
      "7f00-7f01 r-xp 00000000 08:01 11 /usr/lib/libgomp.so.1.0.0\n"
      "7f02-7f03 r--p 00000000 08:01 11 /usr/lib/libgomp.so.1.0.0\n"
      "7f04-7f05 r-xp 00000000 08:01 12 /wheel/lib/libgomp-24e2ab19.so.1\n"
      "7f06-7f07 r-xp 00000000 08:01 13 /usr/lib/libgrpc++.so.1.51.1\n"
      "7f08-7f09 r-xp 00000000 08:01 14 /usr/lib/libprotobuf-lite.so.32\n"
      "7f0a-7f0b r-xp 00000000 08:01 15 /usr/lib/libmpi.so.40 (deleted)\n"
      "7f0c-7f0d rw-p 00000000 00:00 0\n"
      "7f0e-7f0f rw-p 00000000 00:00 0 [heap]");
  EXPECT_THAT(found, ElementsAre(Pair("libgomp", ElementsAre("/usr/lib/libgomp.so.1.0.0",
                                                             "/wheel/lib/libgomp-24e2ab19.so.1")),
                                 Pair("libmpi", ElementsAre("/usr/lib/libmpi.so.40 (deleted)"))));
}

TEST(RuntimeLibrariesTest, SurvivesAnyText) {
  EXPECT_THAT(ParseRuntimeLibraries(""), IsEmpty());
  EXPECT_THAT(ParseRuntimeLibraries("/\n//\n.so\n/.so/\n/libgomp-.so"), IsEmpty());
}

TEST(RuntimeLibrariesTest, ReadsTheMapsOfThisProcess) {
  for (const auto& [name, paths] : LoadedRuntimeLibraries()) EXPECT_EQ(paths.size(), 1u) << name;
}

}  // namespace
}  // namespace ponder
