// Curves of quality against level, a panel a noise, harder to the right.

const MOST_COLOURS = 7; // in colour; more cannot be told apart
const ABREAST = 250; // pixels of a panel, at the least where there are several in a row
const NARROWEST = 150; // pixels; a window which is not shown yet has none

Object.assign(defaults, { front: "", bands: "on" });

views.push({
  name: "curves",
  title: "Curves",
  render(root) {
    const scope = scopeChoice(); // first: it mends a scope that is not here
    const panels = noisesHere();
    const names = [["", "every noise"], ...panels.map(({ noise }) => [noise.name, noise.label])];
    root.append(el("div", { class: "controls" }, scope, choice("Panel", "noise", names), toggle("95 % bands", "bands"), modelPicker()));
    const metric = currentMetric();
    const models = rankedModels();
    const shown = panels.filter(({ noise }) => !state.noise || noise.name === state.noise);
    const points = shown.map(({ noise, dataset }) => pointsOf(noise, dataset, metric, models));
    if (!points.flat().length) return root.append(nothing());

    const coloured = colouredOf(models);
    const columns = Math.max(1, Math.min(shown.length, Math.floor(root.clientWidth / ABREAST)));
    const width = Math.max(NARROWEST, Math.min(Math.floor(root.clientWidth / columns) - 1, 720));
    const box = el("div", { class: "curves" });
    const focus = (model) => bringForward(box, models, coloured, model ?? modelNamed(state.front));
    const entries = models.map((model, place) => {
      const mark = swatch({ ...model, colour: "#999999" });
      mark.classList.add(`line-of-${place}`);
      for (const part of mark.children) for (const paint of ["fill", "stroke"]) if (part.getAttribute(paint) !== "none") part.setAttribute(paint, "currentColor");
      return {
        text: model.label, mark, key: model.name, pressed: state.front === model.name,
        onclick: () => set({ front: state.front === model.name ? "" : model.name }),
        onpointerenter: () => focus(model), onpointerleave: () => focus(),
        onfocus: () => focus(model), onblur: () => focus(),
      };
    });
    box.append(
      chartLegend(entries),
      el("div", { class: "panels", style: `grid-template-columns: repeat(${columns}, ${width}px)` },
        shown.map(({ noise }, place) => curvePanel(noise, points[place], models, metric, { width, isFirst: place % columns === 0 }, focus))),
    );
    focus();
    root.append(
      chartFigure("curves", box, [
        `${metric.label}${ofWhat(shown)} against level, harder to the right: means over images and seeds${state.bands && ", with 95 % intervals over images"}.`,
        models.length > coloured.size ? `The ${isRanked(models, metric) ? "best" : "first"} ${MOST_COLOURS} have colours; a name above brings its model to the front.` : "",
        "A point leads to its images' scores.",
      ], points.flat(), [
        ["noise", (point) => noiseNamed(point.noise).label],
        ["level", (point) => levelText(point.level)],
        ["model", (point) => modelNamed(point.model).label],
        [metric.label, (point) => link(number(metric, point.mean), cellsOf(leadsOf(point)))],
        ["95 %", (point) => `${number(metric, point.low)} to ${number(metric, point.high)}`],
        ["images", (point) => String(point.images)],
      ]),
    );
  },
});

const levelText = (level) => (Number.isFinite(level) ? String(+level.toPrecision(6)) : String(level ?? "–"));
const leadsOf = ({ dataset, noise, level, model }) => ({ data: dataset, noise, level, a: model });

function pointsOf(noise, dataset, metric, models) {
  const names = new Set(models.map((model) => model.name));
  return facts.points.filter((point) =>
    point.noise === noise.name && point.dataset === dataset && point.metric === metric.name && names.has(point.model) && Number.isFinite(point.mean));
}

/** The models with colours: references, which are grey anyway, the first others, and the chosen one. */
function colouredOf(models) {
  const first = models.filter((model) => !model.reference).slice(0, MOST_COLOURS);
  return new Set([...first, ...models.filter((model) => model.reference || model.name === state.front)]);
}

/** One noise: lines, bands and markers of each model in a group of its own class. */
function curvePanel(noise, points, models, metric, { width, isFirst }, focus) {
  const levels = noise.levels.filter((level) => points.some((point) => point.level === level));
  const ordered = d3.sort(points, (point) => levels.indexOf(point.level));
  const trained = noise.name === facts.trained.noise && levels.includes(facts.trained.level) ? [facts.trained.level] : [];
  const marks = [...models].reverse().flatMap((model) => {
    const own = ordered.filter((point) => point.model === model.name);
    const className = `line-of-${models.indexOf(model)}`;
    const paint = { x: "level", className };
    return own.length ? [
      Plot.areaY(own, { ...paint, y1: "low", y2: "high", fill: "currentColor", fillOpacity: 0.09, className: `${className} band` }),
      Plot.lineY(own, { ...paint, y: "mean", stroke: "currentColor", strokeWidth: 1.6, strokeDasharray: model.dash || null }),
      Plot.dot(own, { ...paint, y: "mean", r: 3, ...symbolOf(model), ...(model.marker === "x" ? { stroke: "currentColor" } : { fill: "currentColor" }) }),
    ] : [];
  });
  const plot = Plot.plot({
    ariaLabel: `${noise.label}: ${metric.label} against level`,
    width,
    height: Math.round(Math.max(190, Math.min(0.62 * width, 420))) + 44,
    marginLeft: 44, marginRight: 16, marginTop: 28, marginBottom: 52,
    x: levelScale(levels),
    y: { nice: true, grid: true, label: null, ticks: 5 },
    marks: [
      Plot.text([noise.label], { frameAnchor: "top-left", dy: -20, fontSize: 13, fontWeight: 600 }),
      Plot.text([noise.unit || "level"], { frameAnchor: "bottom", dy: 24, lineAnchor: "top", lineWidth: (width - 60) / 11, fontSize: 11, fill: "var(--quiet)" }),
      isFirst ? Plot.text([metric.label], { frameAnchor: "left", textAnchor: "middle", rotate: -90, dx: -38, fontSize: 11, fill: "var(--quiet)" }) : null,
      Plot.axisX(levels, { text: levelText, label: null, tickSize: 4, fontSize: 11 }),
      Plot.axisY({ ticks: 5, label: null, tickSize: 0, fontSize: 11 }),
      Plot.ruleX(trained, { stroke: "var(--quiet)", strokeDasharray: "2 3" }),
      Plot.text(trained, { x: (level) => level, frameAnchor: "bottom", text: () => "training level", textAnchor: "start", dx: 4, dy: -5, fontSize: 11, fill: "var(--quiet)" }),
      ...marks,
      Plot.dot(points, Plot.pointer({ x: "level", y: "mean", r: 6, stroke: "var(--ink)", className: "pointed" })),
      Plot.tip(points, Plot.pointer({ x: "level", y: "mean", title: (point) => pointTip(point, metric) })),
    ],
  });
  plot.addEventListener("input", () => focus(plot.value ? modelNamed(plot.value.model) : undefined));
  return clickable(plot, (point) => cellsOf(leadsOf(point)));
}

const pointTip = (point, metric) =>
  `${modelNamed(point.model).label}\nlevel ${levelText(point.level)}: ${number(metric, point.mean)}\n95 %: ${number(metric, point.low)} to ${number(metric, point.high)}, ${point.images} images`;

/** True to scale where levels are numbers in order, logarithmic where they span a decade. */
function levelScale(levels) {
  const sorted = d3.sort(levels);
  const falls = levels[0] > levels.at(-1);
  const inOrder = levels.every(Number.isFinite) && String(falls ? sorted.reverse() : sorted) === String(levels);
  if (!inOrder || levels.length < 2) return { type: "point", domain: levels, padding: 0.5 };
  const spread = Math.max(...levels) / Math.min(...levels);
  return { type: Math.min(...levels) > 0 && spread >= 10 ? "log" : "linear", reverse: falls, inset: 12 };
}

/** Gives one model its colour before all others, or, of none, to all those which have one. */
function bringForward(box, models, coloured, front) {
  box.classList.toggle("has-front", Boolean(front));
  for (const [place, model] of models.entries()) {
    const isFront = model === front;
    for (const group of box.querySelectorAll(`.line-of-${place}`)) {
      group.style.color = isFront || coloured.has(model) ? inkOf(model) : "var(--grey)";
      group.style.opacity = front && !isFront ? 0.3 : 1;
      if (group.classList.contains("band")) group.style.display = state.bands && (isFront || (!front && coloured.has(model))) ? "" : "none";
      if (isFront && group.matches("svg > g")) group.parentNode.append(group, ...group.parentNode.querySelectorAll(':scope > .pointed, :scope > [aria-label="tip"]'));
    }
  }
}
