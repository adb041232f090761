#include "cli/report/stacked_area.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ponder::report {
namespace {

// The upper edges of all layers of a panel by column.
struct Stack {
  std::vector<double> steps;
  std::vector<std::vector<double>> edges;  // [layers + 1][columns], edges[0] is 0
};

Stack StackOf(const StackPanel& panel, size_t num_columns) {
  Stack stack;
  for (const Series& layer : panel.layers) {
    const std::vector<Column> columns =
        Envelope(layer, panel.span.first_step, panel.span.last_step, num_columns);
    if (stack.edges.empty()) {
      for (const Column& column : columns) stack.steps.push_back(column.step);
      stack.edges.emplace_back(columns.size(), 0.0);
    }
    std::vector<double> edge = stack.edges.back();
    for (size_t i = 0; i < std::min(edge.size(), columns.size()); ++i) {
      if (std::isfinite(columns[i].mean)) edge[i] += std::max(0.0, columns[i].mean);
    }
    stack.edges.push_back(std::move(edge));
  }
  return stack;
}

std::string LayerStyle(size_t layer) {
  return fmt::format("ar f{}", layer % static_cast<size_t>(kNumColours));
}

std::string Area(const Stack& stack, size_t layer, const Scale& x, const Scale& y) {
  std::string points;
  const auto add = [&](double step, double value) {
    points += (points.empty() ? "" : " ") + Coordinate(x(step)) + "," + Coordinate(y(value));
  };
  for (size_t i = 0; i < stack.steps.size(); ++i) add(stack.steps[i], stack.edges[layer + 1][i]);
  for (size_t i = stack.steps.size(); i-- > 0;) add(stack.steps[i], stack.edges[layer][i]);
  return points;
}

}  // namespace

Drawing Draw(const StackedArea& chart) {
  FrameOptions options;
  options.width = chart.width;
  options.height = chart.height;
  options.title = chart.title;
  options.remark = chart.remark;
  for (size_t layer = 0; layer < chart.layers.size(); ++layer) {
    options.legend.push_back({chart.layers[layer], LayerStyle(layer), LegendEntry::Swatch::kArea});
  }
  double highest = 0;
  std::vector<Stack> stacks;
  for (const StackPanel& panel : chart.panels) {
    options.panels.push_back(panel.span);
    const auto columns =
        static_cast<size_t>(chart.width / static_cast<double>(chart.panels.size()));
    stacks.push_back(StackOf(panel, columns));
    if (stacks.back().edges.empty()) continue;
    for (const double edge : stacks.back().edges.back()) highest = std::max(highest, edge);
  }
  options.y = {0, highest > 0 ? highest : 1};
  const Frame frame(options);
  Drawing drawing{.id = chart.id,
                  .title = chart.title,
                  .description = chart.description,
                  .width = chart.width,
                  .height = chart.height,
                  .body = frame.Background()};
  for (size_t i = 0; i < stacks.size(); ++i) {
    drawing.body += frame.OpenPanel(i);
    for (size_t layer = 0; layer + 1 < stacks[i].edges.size(); ++layer) {
      drawing.body += fmt::format(R"(<polygon class="{}" points="{}"><title>{}</title></polygon>)",
                                  LayerStyle(layer), Area(stacks[i], layer, frame.x(i), frame.y()),
                                  Escaped(chart.layers[layer]));
    }
    drawing.body += "</g>";
  }
  return drawing;
}

}  // namespace ponder::report
