// The heat map: every model's mean under every noise, as it is or less that of another model.

Object.assign(defaults, { against: "identity" });

views.push({
  name: "heatmap",
  title: "Heat map",
  render(root) {
    const scope = scopeChoice(); // first: it mends a scope that is not here
    const models = rankedModels();
    const others = facts.models.map((model) => [model.name, `difference to ${model.label}`]);
    root.append(
      el("div", { class: "controls" },
        choice("Show", "against", [...others, ["", "scores as they are"]]),
        scope,
        modelPicker()),
    );
    const rows = heatRows(models);
    const cells = rows.flatMap((row) => row.cells ?? []);
    if (!cells.some((cell) => Number.isFinite(cell.shown))) return root.append(nothing());
    const metric = currentMetric();
    const other = modelNamed(state.against);
    root.append(
      chartFigure(
        "heat map",
        heatMap(rows, models, metric, root.clientWidth),
        [
          other ? `${metric.label}${ofWhat(noisesHere())}, less that of ${other.label}.` : `${metric.label}${ofWhat(noisesHere())}, ${metric.higher_is_better ? "higher" : "lower"} is better; the best of each line is bold.`,
          other ? "Blue is better, orange worse; the shade grows with the square root of the difference." : "",
          `Means over levels, seeds and images; models stand in the order ${isRanked(models, metric) ? "of their rank" : "that was given"}.`,
          "A cell leads to its images' scores.",
        ],
        cells,
        [
          ["noise", (cell) => cell.label],
          ["model", (cell) => modelNamed(cell.model).label],
          [metric.label, (cell) => link(number(metric, cell.value), cell.leads)],
          ...(other ? [[`less ${other.label}`, (cell) => signed(metric, cell.shown)]] : []),
        ],
      ),
    );
  },
});

/** The lines of the map from above: {key, label, cells}, and headings {key, heading}. */
function heatRows(models) {
  const rows = [];
  const own = standingHere(currentDataset().name);
  const add = (standing, label, value, leads) => {
    const key = [standing.dataset, label, ...Object.values(leads)].join(" "); // labels may be anything
    const of = new Map(standing.rows.map((row) => [row.model, value(row)]));
    const base = state.against ? of.get(state.against) : 0;
    const cells = models.map((model) => {
      const found = of.get(model.name) ?? NaN;
      return { key, label, model: model.name, value: found, shown: found - (base ?? NaN), leads: cellsOf({ data: standing.dataset, a: model.name, ...leads, ...(state.against && { reference: state.against }) }) };
    });
    if (cells.some((cell) => Number.isFinite(cell.value))) rows.push({ key, label, cells });
  };
  if (own) {
    const { noise, level } = facts.trained;
    rows.push({ key: "", heading: "means" });
    add(own, "out of distribution", (row) => row.ood, {});
    add(own, "training level", (row) => row.in_distribution, { noise, level });
  }
  for (const [family, noises] of d3.group(noisesHere(), (one) => one.noise.family)) {
    rows.push({ key: family, heading: family });
    for (const { noise, dataset } of noises) {
      const standing = standingHere(dataset);
      if (standing) add(standing, noise.label, (row) => row.noises[noise.name], { noise: noise.name });
    }
    if (rows.at(-1).heading) rows.pop();
  }
  return rows;
}

function heatMap(rows, models, metric, room) {
  const cells = rows.flatMap((row) => row.cells ?? []);
  const differs = state.against !== "";
  const digits = Math.max(metric.digits - 1, 1);
  const text = (cell) => (differs ? signed({ digits }, cell.shown) : number({ digits }, cell.shown));
  const longest = d3.max(cells, (cell) => text(cell).length);
  const left = 16 + 6.4 * d3.max(rows, (row) => (row.label ?? row.heading).length);
  const wideBeside = (taken) => Math.min(Math.max((room - left - 8 - taken) / models.length, 8 + 6 * longest), 92);
  const names = models.map((model) => 6.8 * model.label.length);
  const turned = d3.pairs(names).some(([one, other]) => (one + other) / 2 + 6 > wideBeside(0));
  const wide = wideBeside(turned ? 0.7 * names.at(-1) : 0); // the last turned name stands out

  const best = metric.higher_is_better ? 1 : -1;
  const [low, high] = d3.extent(cells, (cell) => best * cell.shown);
  const most = Math.max(-low, high) || 1;
  const strength = (cell) => (differs ? Math.sqrt(Math.abs(cell.shown) / most) : (0.7 * (best * cell.shown - low)) / (high - low || 1));
  const fill = (cell) => heatColour(differs && best * cell.shown < 0 ? "--worse" : "--better", strength(cell));
  const finite = cells.filter((cell) => Number.isFinite(cell.shown));
  const bold = new Set(differs ? [] : rows.flatMap((row) => d3.greatest(row.cells ?? [], (cell) => best * cell.shown) ?? []));
  const at = { x: "model", y: "key" };
  const numbers = (of, weight) =>
    Plot.text(of, { ...at, text, fill: (cell) => (strength(cell) > 0.85 ? "white" : "var(--ink)"), fontSize: 11, fontWeight: weight, fontVariant: "tabular-nums" });
  const marginTop = turned ? 14 + 0.72 * Math.max(...names) : 24;
  const marginRight = turned ? 0.7 * names.at(-1) : Math.max(4, (names.at(-1) - wide) / 2);
  const shared = {
    height: marginTop + 21 * rows.length + 2, marginTop, marginBottom: 2, marginLeft: 0,
    y: { domain: rows.map((row) => row.key), padding: 0.06, type: "band", axis: null },
  };
  const heads = (of, options) => Plot.text(of, { y: "key", frameAnchor: "left", textAnchor: "start", fontSize: 12, ...options });
  const lines = Plot.plot({ // beside the map, since they stay in sight while it scrolls
    ...shared, ariaLabel: "noises", width: left, marginRight: 0,
    marks: [
      Plot.text([`${differs ? "Δ " : ""}${metric.label}`], { frameAnchor: "top-left", lineAnchor: "bottom", dy: -7, fontSize: 12, fontWeight: 600 }),
      heads(rows.filter((row) => row.heading), { text: "heading", fill: "var(--quiet)", fontStyle: "italic", dy: 2 }),
      heads(rows.filter((row) => row.cells), { text: "label", dx: 10 }),
    ],
  });
  const map = clickable(
    Plot.plot({
      ...shared,
      ariaLabel: `heat map of ${metric.label}`,
      width: wide * models.length + marginRight,
      marginRight,
      x: { domain: models.map((model) => model.name), padding: 0.03, type: "band" },
      color: { type: "identity" },
      marks: [
        Plot.axisX({ anchor: "top", tickSize: 0, label: null, fontSize: 12, tickFormat: (one) => modelNamed(one).label, ...(turned ? { tickRotate: -45 } : {}) }),
        Plot.cell(finite, { ...at, fill }),
        numbers(finite.filter((cell) => !bold.has(cell)), 400),
        numbers(finite.filter((cell) => bold.has(cell)), 700),
        Plot.cell(finite, Plot.pointer({ ...at, stroke: "var(--ink)", strokeWidth: 1.5 })),
        Plot.tip(finite, Plot.pointer({ ...at, title: (cell) => heatTip(cell, metric) })),
      ],
    }),
    (cell) => cell.leads,
  );
  return el("div", { class: "heat" }, lines, map);
}

const heatColour = (variable, strength) => `color-mix(in oklab, var(${variable}) ${(100 * strength).toFixed(1)}%, var(--paper))`;

function heatTip(cell, metric) {
  const lines = [`${modelNamed(cell.model).label}, ${cell.label}`, `${metric.label}: ${number(metric, cell.value)}`];
  if (state.against) lines.push(`${signed(metric, cell.shown)} to ${modelNamed(state.against).label}`);
  return lines.join("\n");
}
