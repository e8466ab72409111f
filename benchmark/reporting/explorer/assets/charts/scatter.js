// Two models image by image: who wins where, and by how much.

// Of noise families; hues of Paul Tol's "muted" scheme, which colour-blind people can tell apart.
const FAMILY_COLOURS = ["#332288", "#CC6677", "#117733", "#DDAA33", "#44AA99", "#882255", "#66AADD", "#999933", "#AA4499", "#777777"];
const FAMILY_SYMBOLS = ["circle", "triangle", "square", "diamond2", "plus", "times", "triangle2", "asterisk", "hexagon", "wye"];
const MOST_ROWS = 200; // of the table

views.push({
  name: "scatter",
  title: "Scatter",
  render(root) {
    const models = facts.models.map((model) => [model.name, model.label]);
    const scope = scopeChoice(); // first: it mends a scope that is not here
    const noises = noisesHere().filter(({ dataset }) => dataset === currentDataset().name).map(({ noise }) => noise);
    const selects = [
      choice("A, across", "a", models), choice("B, up", "b", models), scope,
      choice("Noise", "noise", [["", "all"], ...noises.map((noise) => [noise.name, noise.label])]),
    ];
    const levels = noises.find((noise) => noise.name === state.noise)?.levels ?? [];
    selects.push(choice("Level", "level", [[null, "all"], ...levels.map((level) => [level, levelText(level)])]));
    root.append(el("div", { class: "controls" }, selects));

    const metric = currentMetric();
    const [a, b] = [modelNamed(state.a), modelNamed(state.b)];
    const chosen = noises.filter((noise) => !state.noise || noise.name === state.noise);
    const points = imagePairs(chosen, metric);
    if (!points.length) return root.append(nothing());
    root.append(
      el("p", { class: "verdict" }, verdict(points, a, b, metric)),
      chartFigure("scatter", scatter(points, a, b, metric, Math.min(root.clientWidth, 640)), [
        `${metric.label}${ofWhat()}${onlyOf()}, ${b.label} against ${a.label}, ${metric.higher_is_better ? "above" : "below"} the diagonal where ${b.label} is better.`,
        "A point is an image under one noise, level and seed; it leads to its pictures, where there are some, or scores.",
        "Beside it, the mean difference under each noise with its 95 % interval over images; a line leads to the points of that noise.",
      ], d3.sort(points, (point) => -Math.abs(point.up - point.across)).slice(0, MOST_ROWS), [
        ["image", (point) => link(point.image, pictureOf(point))],
        ["noise", (point) => noiseNamed(point.noise).label],
        ["level", (point) => levelText(point.level)],
        [a.label, (point) => number(metric, point.across)],
        [b.label, (point) => number(metric, point.up)],
        ["difference", (point) => signed(metric, point.up - point.across)],
      ], points.length > MOST_ROWS ? `The ${MOST_ROWS} largest differences as a table` : undefined),
    );
  },
});

/** The chosen noise and level, in words. */
const onlyOf = () => [state.noise && noiseNamed(state.noise).label, state.level].filter((part) => part || part === 0).map((part, at) => `${at ? " " : ", "}${part}`).join("");

/** Images which all trainings of both models have, means over them: {noise, level, seed, image, family, across, up}. */
function imagePairs(noises, metric) {
  const column = 2 + facts.metrics.indexOf(metric);
  const cells = facts.cells.filter((cell) =>
    cell.dataset === currentDataset().name && noises.includes(noiseNamed(cell.noise)) && (state.level === null || cell.level === state.level));
  const scoresOf = (model) => {
    const counted = countedOf(model, currentDataset().name, metric);
    const rows = cells.filter((cell) => cell.model === model && counted.includes(cell.training)).flatMap(({ noise, level, seed, rows }) =>
      rows.map((row) => ({ noise, level, seed, image: row[0], score: row[column] })));
    const found = d3.group(rows.filter((row) => !isMissing(row.score)), ({ noise, level, seed, image }) => `${noise} ${level} ${seed} ${image}`);
    return new Map([...found].filter(([, of]) => of.length === counted.length));
  };
  const [across, up] = [scoresOf(state.a), scoresOf(state.b)];
  const mean = (rows) => d3.mean(rows, (row) => row.score);
  return [...across].filter(([key]) => up.has(key)).map(([key, rows]) =>
    ({ ...rows[0], family: noiseNamed(rows[0].noise).family, across: mean(rows), up: mean(up.get(key)) }));
}

function scatter(points, a, b, metric, size) {
  const extent = d3.extent(points.flatMap((point) => [point.across, point.up]));
  const looks = familyLooks(points);
  const at = { x: "across", y: "up" };
  const plot = Plot.plot({
    ariaLabel: `${metric.label} of ${b.label} against ${a.label}`,
    width: size, height: size, aspectRatio: 1,
    marginLeft: 52, marginBottom: 44, marginTop: 30, marginRight: 16, inset: 8,
    x: { domain: extent, nice: true, grid: true, ticks: 7, label: `${a.label}, ${metric.label} →`, labelAnchor: "right", tickSize: 0 },
    y: { domain: extent, nice: true, grid: true, ticks: 7, label: `↑ ${b.label}, ${metric.label}`, tickSize: 0 },
    ...looks,
    style: { fontSize: "12px" },
    marks: [
      Plot.line([extent[0], extent[1]], { x: (value) => value, y: (value) => value, stroke: "var(--quiet)" }),
      Plot.dot(points, { ...at, stroke: "family", symbol: "family", r: 3, strokeOpacity: 0.75 }),
      Plot.dot(points, Plot.pointer({ ...at, r: 7, stroke: "var(--ink)" })),
      Plot.tip(points, Plot.pointer({ ...at, title: (point) => [
        point.image, `${noiseNamed(point.noise).label}, level ${levelText(point.level)}`,
        `${a.label}: ${number(metric, point.across)}`, `${b.label}: ${number(metric, point.up)}`, `difference ${signed(metric, point.up - point.across)}`,
      ].join("\n") })),
    ],
  });
  const entries = looks.color.domain.map((family) => {
    const only = state.scope === family;
    const dot = Plot.dot([family], { frameAnchor: "middle", r: 4, stroke: (one) => one, symbol: (one) => one });
    return {
      text: family, mark: Plot.plot({ ...looks, width: 16, height: 16, margin: 0, axis: null, marks: [dot] }), key: family, pressed: only,
      onclick: () => set({ scope: only ? "all" : family, noise: "" }),
    };
  });
  return el("div", { class: "scatter" }, chartLegend(entries), clickable(plot, pictureOf), byNoise(points, a, b, metric, looks, size));
}

/** Colour and symbol of each family that has points, the same whatever others are shown. */
function familyLooks(points) {
  const families = [...new Set(facts.noises.map((noise) => noise.family))];
  const domain = families.filter((family) => points.some((point) => point.family === family));
  const rangeOf = (list) => domain.map((family) => list[families.indexOf(family) % list.length]);
  return { color: { domain, range: rangeOf(FAMILY_COLOURS).map((colour) => inkOf({ colour })) }, symbol: { domain, range: rangeOf(FAMILY_SYMBOLS) } };
}

/** B less A under each noise with its interval, a line a noise, by family. */
function byNoise(points, a, b, metric, looks, size) {
  const found = Array.from(d3.group(points, (point) => point.noise), ([noise, of]) => {
    const { mean, half } = meanDifference(of);
    return { noise, family: of[0].family, label: noiseNamed(noise).label, mean, low: mean - half, high: mean + half };
  });
  const at = { x: "mean", y: "label" };
  const rows = d3.sort(found, (row) => looks.color.domain.indexOf(row.family), (row) => row.label);
  const plot = Plot.plot({
    ariaLabel: `${b.label} less ${a.label} by noise`,
    width: Math.min(size, 560), height: 74 + rows.length * Math.max(16, Math.min(24, (size - 74) / rows.length)),
    marginLeft: 18 + 6.6 * d3.max(rows, (row) => row.label.length), marginTop: 30, marginBottom: 44, marginRight: 16,
    x: { grid: true, nice: true, ticks: 6, tickSize: 0, tickFormat: (value) => (value ? d3.format("+~g")(value) : "0"), label: `${b.label} less ${a.label}, ${metric.label} →`, labelAnchor: "right" },
    y: { domain: rows.map((row) => row.label), label: null, tickSize: 0 },
    ...looks,
    style: { fontSize: "12px" },
    marks: [
      Plot.ruleX([0], { stroke: "var(--quiet)" }),
      Plot.ruleY(rows.filter((row) => Number.isFinite(row.low)), { y: "label", x1: "low", x2: "high", stroke: "family", strokeWidth: 1.5 }),
      Plot.dot(rows, { ...at, stroke: "family", symbol: "family", fill: "var(--paper)", r: 4, strokeWidth: 1.7 }),
      Plot.tip(rows, Plot.pointerY({ ...at, title: (row) => `${row.label}\n${signed(metric, row.mean)}, 95 %: ${signed(metric, row.low)} to ${signed(metric, row.high)}` })),
    ],
  });
  plot.addEventListener("input", () => (plot.style.cursor = plot.value ? "pointer" : ""));
  plot.addEventListener("click", () => plot.value && set({ noise: state.noise ? "" : plot.value.noise, level: null }));
  return plot;
}

/** Where the images of a point are seen; its cells where no pictures of it are kept. */
function pictureOf({ noise, level, seed, image }) {
  const data = currentDataset().name;
  const has = facts.scenes.some((scene) => scene.dataset === data && scene.noise === noise && scene.level === level && scene.seed === seed && scene.image === image);
  return has ? { view: "images", data, noise, level, seed, image } : cellsOf({ data, noise, level, a: state.b });
}

/** Who wins how often, and the mean difference with its interval, as a sentence. */
function verdict(points, a, b, metric) {
  const sign = metric.higher_is_better ? 1 : -1;
  const wins = points.filter((point) => sign * (point.up - point.across) > 0).length;
  const losses = points.filter((point) => sign * (point.up - point.across) < 0).length;
  const isTraining = ({ noise, level }) => noise === facts.trained.noise && level === facts.trained.level;
  const beyond = points.filter((point) => !isTraining(point));
  const counted = beyond.length ? beyond : points;
  const { mean, half, images, all } = meanDifference(counted);
  const some = images < all ? " which all cells have" : "";
  const interval = Number.isFinite(half) ? `, 95 % interval ${signed(metric, mean - half)} to ${signed(metric, mean + half)} over ${images} images${some}` : ` (${all === 1 ? "one image" : "no two images which all cells have"}: no interval)`;
  const where = counted.length < points.length ? " out of distribution" : "";
  return `${b.label} is better on ${wins}, ${a.label} on ${losses} of ${points.length} noisy images. Mean difference${where}: ${signed(metric, mean)} ${metric.unit}${interval}.`.replace(" ,", ",");
}

/** Up less across, every noise counting equally, with Student's interval over the images of all cells. */
function meanDifference(points) {
  const nested = (keys) => (of) => (keys.length ? d3.mean(d3.rollup(of, nested(keys.slice(1)), (point) => point[keys[0]]).values()) : d3.mean(of, (point) => point.up - point.across));
  const inCells = nested(["noise", "level", "seed"]);
  const images = d3.groups(points, (point) => point.image).map(([, own]) => own);
  const most = new Set(points.map(({ noise, level, seed }) => `${noise} ${level} ${seed}`)).size;
  const of = images.filter((own) => own.length === most).map(inCells);
  return { mean: inCells(points), images: of.length, all: images.length, half: (studentT(of.length - 1) * d3.deviation(of)) / Math.sqrt(of.length) };
}

/** The 97.5 % point of Student's t to five digits: a table, then its expansion at the normal's (Abramowitz and Stegun 26.7.5). */
function studentT(freedom) {
  const few = [NaN, 12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216];
  const z = 1.959964;
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return few[freedom] ?? d3.sum(terms, (term, power) => term / freedom ** power);
}
