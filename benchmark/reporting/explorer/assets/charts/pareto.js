// What quality costs: seconds, parameters or operations against the mean beyond training.

Object.assign(defaults, { cost: "seconds" });

const COSTS = {
  seconds: { label: "seconds per image", text: (value) => `${+value.toPrecision(3)} s` },
  parameters: { label: "parameters", text: (value) => d3.format(".3~s")(value).replace("G", "B") },
  gmacs: { label: "GMACs per megapixel", text: (value) => `${+value.toPrecision(3)}` },
};

views.push({
  name: "cost",
  title: "Cost",
  render(root) {
    root.append(
      el("div", { class: "controls" },
        choice("Cost", "cost", Object.entries(COSTS).map(([name, { label }]) => [name, label])),
        scopeChoice(), modelPicker()));
    const metric = currentMetric();
    const rows = standingHere(currentDataset().name)?.rows.filter((row) => Number.isFinite(row.ood)) ?? [];
    const of = new Map(rows.map((row) => [row.model, row]));
    const pointOf = (row, model) => ({ ...row, model, cost: row[state.cost] ?? model[state.cost] }); // seconds are of the dataset
    const all = shownModels().filter((model) => of.has(model.name)).map((model) => pointOf(of.get(model.name), model));
    const noisy = all.find((point) => point.model.name === "identity");
    const points = all.filter((point) => point.cost > 0 && point !== noisy);
    if (!points.length) return root.append(nothing());
    const without = all.filter((point) => !(point.cost > 0) && point !== noisy).map(({ model }) => (model.cost_note ? `${model.label} (${model.cost_note})` : model.label));
    const cost = COSTS[state.cost];
    const front = paretoFront(points, metric);
    root.append(
      chartFigure("cost", pareto(points, front, noisy, metric, cost, Math.min(root.clientWidth, 960)), [
        `Mean ${metric.label} out of distribution${ofWhat()}, with its 95 % interval over images, against ${cost.label}.`,
        front.length > 1 ? "No model beats one on the dashed line in both." : `${front[0].model.label} beats all others in both.`,
        "A point leads to its cells.",
        without.length ? `Without ${cost.label}: ${without.join(", ")}.` : "",
      ], d3.sort(points, (point) => point.cost), [
        ["model", (point) => link(point.model.label, paretoLead(point))],
        [cost.label, (point) => cost.text(point.cost)],
        [metric.label, (point) => number(metric, point.ood)],
        ["95 %", (point) => `${number(metric, point.low)} to ${number(metric, point.high)}`],
        ["on the front", (point) => (front.includes(point) ? "yes" : "no")],
      ]),
    );
  },
});

const paretoLead = (point) => cellsOf({ a: point.model.name });

/** The points that none beats in both, cheapest first. */
function paretoFront(points, metric) {
  const sign = metric.higher_is_better ? 1 : -1;
  const front = [];
  for (const point of d3.sort(points, (one) => one.cost, (one) => -sign * one.ood))
    if (!front.length || sign * point.ood > sign * front.at(-1).ood) front.push(point);
  return front;
}

function pareto(points, front, noisy, metric, cost, width) {
  const at = { x: "cost", y: "ood" };
  const range = d3.extent([...points, ...(noisy ? [noisy] : [])].flatMap((point) => [point.low ?? point.ood, point.high ?? point.ood]));
  const ground = noisy ? [noisy] : [];
  const draw = (labels) =>
    Plot.plot({
      ariaLabel: `${metric.label} against ${cost.label}`,
      width, height: Math.round(Math.max(340, Math.min(0.6 * width, 520))),
      marginLeft: 52, marginRight: 20, marginTop: 30, marginBottom: 48, inset: 18,
      x: { type: "log" },
      y: { domain: range, nice: true, grid: true, ticks: 8, reverse: !metric.higher_is_better, label: `${metric.label}, out of distribution`, tickSize: 0 },
      style: { fontSize: "12px" },
      marks: [
        Plot.axisX(costTicks(points), { text: costTick, label: `${cost.label} →`, labelAnchor: "right", labelOffset: 40 }),
        Plot.ruleY(ground, { y: "ood", stroke: "var(--quiet)", strokeDasharray: "2 3" }),
        Plot.text(ground, { y: "ood", frameAnchor: "right", textAnchor: "end", dy: -7, text: () => noisy.model.label, fill: "var(--quiet)" }),
        Plot.line(front, { ...at, curve: "step-after", stroke: "var(--quiet)", strokeWidth: 1.2, strokeDasharray: "4 3" }),
        Plot.ruleX(points, { x: "cost", y1: "low", y2: "high", stroke: (point) => inkOf(point.model), strokeOpacity: 0.55, strokeWidth: 1.4 }),
        ...points.map((point) => Plot.dot([point], { ...at, r: 5, ...symbolOf(point.model), [point.model.marker === "x" ? "stroke" : "fill"]: inkOf(point.model), strokeWidth: 2 })),
        ...labels,
        Plot.dot(points, Plot.pointer({ ...at, r: 9, stroke: "var(--ink)" })),
        Plot.tip(points, Plot.pointer({ ...at, title: (point) => [
          point.model.label, `${metric.label}: ${number(metric, point.ood)} (${number(metric, point.low)} to ${number(metric, point.high)})`, `${cost.label}: ${cost.text(point.cost)}`,
        ].join("\n") })),
      ],
    });
  const bare = draw([]);
  const x = bare.scale("x").apply, y = bare.scale("y").apply;
  const placed = placeLabels(
    points.map((point) => ({ x: x(point.cost), y: y(point.ood), text: point.model.label, bar: [point.low, point.high].map((end) => y(end ?? point.ood)) })),
    d3.pairs(front).map(([one, other]) => ({ left: x(one.cost), right: x(other.cost), top: y(one.ood) - 1, bottom: y(one.ood) + 1 })),
    width,
  );
  const labels = points.map((point, place) =>
    Plot.text([point], { ...at, text: (one) => one.model.label, fontSize: 12, stroke: "var(--paper)", strokeWidth: 3, fill: "var(--ink)", ...placed[place] }));
  return clickable(draw(labels), paretoLead);
}

/** 1, 2 and 5 of each decade; within a decade, steps of equal size. */
function costTicks(points) {
  const [low, high] = d3.extent(points, (point) => point.cost);
  if (high < 10 * low) return d3.ticks(low, high, 4);
  return d3.scaleLog([low, high], [0, 1]).ticks().filter((value) => "125".includes(value.toExponential()[0]));
}

const costTick = (value) => (value < 1 ? String(+value.toPrecision(3)) : d3.format("~s")(value));

/** Where each text stands beside its point, {dx, dy, textAnchor}: the first place free of others. */
function placeLabels(points, lines, width) {
  const taken = points.flatMap(({ x, y, bar }) => [
    { left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 },
    { left: x - 2, right: x + 2, top: Math.min(...bar), bottom: Math.max(...bar) },
  ]).concat(lines);
  const overlap = (one, other) =>
    Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left)) * Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));
  const places = [0, -12, 12, -24, 24].flatMap((dy) => [{ dx: 10, dy, textAnchor: "start" }, { dx: -10, dy, textAnchor: "end" }]);
  return points.map(({ x, y, text }) => {
    const long = 7.2 * text.length;
    const boxOf = ({ dx, dy, textAnchor }) => {
      const left = textAnchor === "start" ? x + dx : x + dx - long;
      return { left, right: left + long, top: y + dy - 7, bottom: y + dy + 7 };
    };
    const cost = (place) => {
      const box = boxOf(place);
      return d3.sum(taken, (other) => overlap(box, other)) + (box.right > width - 2 || box.left < 40 ? 1e6 : 0);
    };
    const best = d3.least(places, cost);
    taken.push(boxOf(best));
    return best;
  });
}
