#include "cli/report/page.h"

namespace ponder::report {

std::string_view PageScript() {
  // Reads values back from the drawing: each panel carries its scales, so nothing is stored twice.
  static constexpr std::string_view kScript = R"(
"use strict";
(() => {
  const format = (v) => {
    const a = Math.abs(v);
    return a !== 0 && (a < 1e-3 || a >= 1e6) ? v.toExponential(2) : String(Number(v.toPrecision(4)));
  };
  const scaleOf = (text, log) => {
    const [low, high, begin, end] = text.split(" ").map(Number);
    const value = (at) => {
      const share = end === begin ? 0 : (at - begin) / (end - begin);
      return log ? low * Math.pow(high / low, share) : low + share * (high - low);
    };
    return {begin, end, value};
  };
  const nearest = (line, x) => {
    let best = null;
    for (const point of line.points) {
      if (best === null || Math.abs(point.x - x) < Math.abs(best.x - x)) best = point;
    }
    return best;
  };
  for (const svg of document.querySelectorAll("figure svg")) {
    const output = svg.closest("figure").querySelector("output");
    const panels = [...svg.querySelectorAll("g.panel")].map((group) => ({
      stage: group.dataset.stage,
      x: scaleOf(group.dataset.x, false),
      y: scaleOf(group.dataset.y, group.dataset.log === "1"),
      lines: [...group.querySelectorAll("polyline[data-name]")],
    })).filter((panel) => panel.lines.length > 0);
    if (panels.length === 0 || output === null) continue;
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cross.setAttribute("class", "cross");
    const clear = () => { cross.remove(); output.textContent = ""; };
    svg.addEventListener("pointermove", (event) => {
      const matrix = svg.getScreenCTM();
      if (matrix === null) return;
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
      const panel = panels.find((p) => at.x >= p.x.begin - 5 && at.x <= p.x.end + 5);
      if (panel === undefined) return clear();
      const found = new Map();
      for (const line of panel.lines) {
        const point = nearest(line, at.x);
        const known = found.get(line.dataset.name);
        if (!known || Math.abs(point.x - at.x) < Math.abs(known.x - at.x)) found.set(line.dataset.name, point);
      }
      const first = [...found.values()][0];
      for (const [name, value] of [["x1", first.x], ["x2", first.x], ["y1", panel.y.begin], ["y2", panel.y.end]]) {
        cross.setAttribute(name, value);
      }
      svg.append(cross);
      const values = [...found].map(([name, point]) => name + " " + format(panel.y.value(point.y)));
      output.textContent = panel.stage + ", step " + Math.round(panel.x.value(first.x)) + ": " + values.join(", ");
    });
    svg.addEventListener("pointerleave", clear);
  }
})();
)";
  return kScript;
}

}  // namespace ponder::report
