// Axes: from values to positions, and the round numbers that are written beside them.
#pragma once

#include <string>
#include <vector>

namespace ponder::report {

// Maps [low, high] to [begin, end], linearly or by the logarithm. `begin` may exceed `end`: y grows
// downwards on a page. A domain of no width maps to the middle.
struct Scale {
  double low = 0;
  double high = 1;
  double begin = 0;
  double end = 1;
  bool log = false;  // low > 0 then
  double operator()(double value) const;
};

struct Tick {
  double value = 0;
  std::string label;
};

// Round values (1, 2 or 5 times a power of ten apart) inside [low, high]: as many as `max_count`
// (>= 2) allows.
std::vector<Tick> LinearTicks(double low, double high, int max_count);
// Powers of ten inside [low, high], at most `max_count`. 0 < low < high.
std::vector<Tick> LogTicks(double low, double high, int max_count);

struct Domain {
  double low = 0;
  double high = 1;
};

// The smallest domain that holds [low, high] and ends at ticks that are at most `max_count` in
// number. Equal ends are widened.
Domain RoundDomain(double low, double high, int max_count);
// The same in powers of ten. 0 < low.
Domain RoundLogDomain(double low, double high);

// A value for people: four significant digits, thousands as "12.3k" or "1.2M".
std::string ShortNumber(double value);

}  // namespace ponder::report
