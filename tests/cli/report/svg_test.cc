#include "cli/report/svg.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <regex>

#include "cli/report/heat_map.h"
#include "cli/report/line_chart.h"
#include "cli/report/stacked_area.h"

namespace ponder::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Series SeriesOf(const std::vector<double>& values) {
  Series series;
  for (const double value : values) {
    series.step.push_back(static_cast<double>(series.size() + 1));
    series.value.push_back(value);
  }
  return series;
}

// How often `pattern` occurs.
size_t Count(const std::string& text, const std::string& pattern) {
  size_t count = 0;
  for (size_t at = text.find(pattern); at != std::string::npos; at = text.find(pattern, at + 1))
    ++count;
  return count;
}

// The elements of an SVG in order, without attributes: "svg title /title ...".
std::string Skeleton(const std::string& svg) {
  static const std::regex kTag("<(/?[a-z]+)[^>]*>");
  std::string text;
  for (auto tag = std::sregex_iterator(svg.begin(), svg.end(), kTag); tag != std::sregex_iterator();
       ++tag) {
    text += (text.empty() ? "" : " ") + (*tag)[1].str();
  }
  return text;
}

TEST(EscapedTest, LeavesNoMarkup) {
  EXPECT_EQ(Escaped("<script>alert('x')&\"</script>"),
            "&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;&lt;/script&gt;");
}

TEST(EscapedTest, ReplacesWhatIsNoTextAndKeepsTheRest) {
  EXPECT_EQ(Escaped("\xC3\xA4 \u2713 \U0001F600\n"), "\u00e4 \u2713 \U0001F600\n");
  EXPECT_EQ(Escaped(std::string("a\0b\x1b[0m", 7)), "a\uFFFDb\uFFFD[0m");
  EXPECT_EQ(Escaped("\xff|\xC3|\xED\xA0\x80|\xC0\xAF"),
            "\uFFFD|\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD");
}

TEST(EscapedTest, NamesMarksThatTurnTheDirectionOfWriting) {
  EXPECT_EQ(Escaped("12\u202E34\u202C\u2066x\u2069\u200F\u061C"),
            "12U+202E34U+202CU+2066xU+2069U+200FU+061C");
}

RC_GTEST_PROP(EscapedTest, NeverLetsAByteThroughThatEndsATextOrAnAttribute,
              (const std::string& text)) {
  const std::string escaped = Escaped(text);
  RC_ASSERT(escaped.find_first_of("<>\"'") == std::string::npos);
}

TEST(IdentifierTest, IsSafeAsAFileName) {
  EXPECT_EQ(Identifier("val/pass@k"), "val_pass_k");
  EXPECT_EQ(Identifier("../../etc/passwd"), "______etc_passwd");
  EXPECT_EQ(Identifier(""), "_");
  EXPECT_EQ(Identifier(std::string(500, 'a')).size(), 80u);
}

TEST(CoordinateTest, HasOneDecimalAndNeverANonNumber) {
  EXPECT_EQ(Coordinate(12), "12");
  EXPECT_EQ(Coordinate(-0.24), "-0.2");
  EXPECT_EQ(Coordinate(-0.01), "0");
  EXPECT_EQ(Coordinate(1.0 / 0.0), "0");
}

LineChart TwoStages() {
  LineChart chart;
  chart.id = "reward";
  chart.title = "Reward <of> a \"run\"";
  chart.description = "mean & more";
  Curve curve;
  curve.name = "mean";
  curve.series = SeriesOf({0, 0.5, 1});
  Points points;
  points.name = "heldout";
  points.colour = 1;
  points.points = {{.step = 3, .value = 0.9, .low = 0.8, .high = 1.0}};
  chart.panels.push_back({.span = {"imitate", 1, 3}, .curves = {curve}, .points = {}});
  chart.panels.push_back({.span = {"reason", 1, 3}, .curves = {curve}, .points = {points}});
  chart.legend = {{"mean", "s0", LegendEntry::Swatch::kLine},
                  {"heldout", "f1", LegendEntry::Swatch::kPoint}};
  return chart;
}

TEST(LineChartTest, HasTitleDescriptionAxesAndOnePanelPerStage) {
  const std::string svg = InlineSvg(Draw(TwoStages()));
  // Title, legend (line and point), two shaded and named panels, three horizontal lines of the grid
  // in each with their labels, two axes with a tick per step, the remark on the axis, two panels.
  EXPECT_EQ(Skeleton(svg),
            "svg title /title desc /desc text /text line text /text circle text /text "
            "rect text /text rect text /text "
            "line line text /text line line text /text line line text /text "
            "line line text /text line text /text line text /text "
            "line line text /text line text /text line text /text text /text "
            "g polyline /g g polyline g title /title line circle /g /g /svg");
  EXPECT_THAT(svg, HasSubstr("<title id=\"reward-t\">Reward &lt;of&gt; a &quot;run&quot;</title>"));
  EXPECT_THAT(svg, HasSubstr("aria-labelledby=\"reward-t reward-d\""));
  EXPECT_THAT(svg, HasSubstr(">imitate</text>"));
  EXPECT_THAT(svg, HasSubstr("heldout, step 3: 0.9 [0.8, 1]"));
}

TEST(LineChartTest, PutsAPointWhereTheScalesOfItsPanelSay) {
  const std::string svg = InlineSvg(Draw(TwoStages()));
  std::smatch match;
  ASSERT_TRUE(std::regex_search(
      svg, match,
      std::regex("data-x=\"1 3 ([0-9.]+) ([0-9.]+)\" data-y=\"0 1 ([0-9.]+) ([0-9.]+)\"")));
  const std::string expected = match[1].str() + "," + match[3].str();
  EXPECT_THAT(svg, HasSubstr("points=\"" + expected + " "))
      << "step 1 has value 0: the lower left corner";
}

TEST(LineChartTest, ReducesALongCurveToItsColumnsAndSaysSo) {
  LineChart chart = TwoStages();
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) values.push_back(i % 2);
  chart.panels[0].curves[0].series = SeriesOf(values);
  chart.panels[0].span.last_step = 5000;
  EXPECT_TRUE(IsReduced(chart));
  EXPECT_FALSE(IsReduced(TwoStages()));
  const std::string svg = InlineSvg(Draw(chart));
  EXPECT_LT(svg.size(), 12000u);
  EXPECT_EQ(Count(svg, "class=\"en f0\""), 1u) << "the band from least to largest value";
}

TEST(LineChartTest, InterruptsALineWhereAValueIsNotFinite) {
  LineChart chart = TwoStages();
  chart.panels.pop_back();
  chart.panels[0].curves[0].series = SeriesOf({0, 1, std::nan(""), 1, 0});
  chart.panels[0].span.last_step = 5;
  EXPECT_EQ(Count(InlineSvg(Draw(chart)), "<polyline"), 2u);
}

TEST(LineChartTest, TakesALogarithmicAxisOnlyForPositiveValuesOverThreeDecades) {
  LineChart chart = TwoStages();
  chart.may_be_log = true;
  EXPECT_FALSE(IsLogarithmic(chart));
  for (ChartPanel& panel : chart.panels) {
    panel.points.clear();
    panel.curves[0].series = SeriesOf({3, 1e-3, 1e-6});
  }
  EXPECT_TRUE(IsLogarithmic(chart));
  chart.may_be_log = false;
  EXPECT_FALSE(IsLogarithmic(chart));
}

TEST(StackedAreaTest, PutsLayersUponEachOther) {
  StackedArea chart;
  chart.id = "phases";
  chart.title = "Time";
  chart.layers = {"a", "b"};
  chart.panels.push_back({{"s", 1, 2}, {SeriesOf({1, 1}), SeriesOf({2, 3})}});
  const std::string svg = InlineSvg(Draw(chart));
  EXPECT_EQ(Count(svg, "<polygon"), 2u);
  EXPECT_THAT(svg, HasSubstr("data-y=\"0 4 ")) << "the axis holds 1 + 3";
}

TEST(HeatMapTest, MergesColumnsWithoutLosingCounts) {
  std::vector<HeatColumn> columns;
  for (int step = 1; step <= 100; ++step) columns.push_back({1.0 * step, 1.0 * step, {1, 2}});
  const auto merged = MergeColumns(columns, {"s", 1, 100}, 10);
  ASSERT_EQ(merged.size(), 10u);
  EXPECT_EQ(merged[0].first_step, 1);
  EXPECT_EQ(merged[0].last_step, 10);
  EXPECT_EQ(merged[0].counts, (std::vector<double>{10, 20}));
}

TEST(HeatMapTest, DrawsOnePathPerLevelInUse) {
  HeatMap map;
  map.id = "lengths";
  map.title = "Lengths";
  map.panels.push_back({{"s", 1, 2}, 2, {{1, 1, {4, 0}}, {2, 2, {1, 3}}}});
  const std::string svg = InlineSvg(Draw(map));
  EXPECT_EQ(Count(svg, "<path"), 3u) << "shares 1, .75 and .25";
  EXPECT_THAT(svg, HasSubstr("<path class=\"h10\""));
}

TEST(StandaloneSvgTest, CarriesStyleBackgroundAndNamespaceAndNothingFromOutside) {
  const std::string svg = StandaloneSvg(Draw(TwoStages()));
  EXPECT_TRUE(svg.starts_with("<?xml"));
  EXPECT_THAT(svg, HasSubstr("xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, HasSubstr("<style>"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, Not(HasSubstr("href")));
  EXPECT_THAT(svg, Not(HasSubstr("url(")));
}

}  // namespace
}  // namespace ponder::report
