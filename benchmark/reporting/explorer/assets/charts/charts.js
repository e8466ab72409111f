// What all charts share: a frame with buttons, clicks, the same as a table, what is chosen.

/**
 * A chart with its buttons, words and table.
 *
 * `chart` is an svg, or an element with several; `rows` and `columns` are those of `asTable`.
 */
function chartFigure(name, chart, words, rows, columns, summary) {
  return el(
    "figure",
    { class: "chart" },
    el("div", { class: "chart-box", "data-key": `box ${name}`, tabindex: 0, role: "group", "aria-label": name }, chart),
    el("figcaption", {}, words.filter(Boolean).map((text) => [text, " "])),
    el("p", { class: "save-line" }, saveButtons(chart, `${facts.title} ${name}`.replaceAll(" ", "-"))),
    asTable(rows, columns, summary),
  );
}

/**
 * What a chart shows, in words that keyboards and screen readers reach; filled when it is opened.
 *
 * `columns` are [heading, row => text or element].
 */
function asTable(rows, columns, summary = "As a table") {
  const fill = () =>
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...columns.map(([heading]) => el("th", { scope: "col" }, heading)))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...columns.map(([, cell]) => el("td", {}, cell(row)))))),
    );
  const box = el("div", { class: "scroll" });
  const ontoggle = (event) => event.target.open && !box.firstChild && box.append(fill());
  return el("details", { class: "as-table", "data-key": "as table", ontoggle }, el("summary", {}, summary), box);
}

/** Makes a plot lead to what is under the pointer; a finger's first touch only shows its tip. */
function clickable(plot, changesOf) {
  let touched = null;
  plot.addEventListener("input", () => (plot.style.cursor = plot.value ? "pointer" : ""));
  plot.addEventListener("click", (event) => {
    const known = event.pointerType === "mouse" || touched === plot.value;
    touched = plot.value;
    if (plot.value && known) location.hash = hashOf({ ...state, ...changesOf(plot.value) }); // the browser's Back returns
  });
  return plot;
}

const nothing = () => el("p", { class: "note" }, "Nothing here has scores. Choose another dataset, metric or family, or more models.");

const standingHere = (dataset) =>
  facts.standings.find((one) => one.dataset === dataset && one.metric === currentMetric().name && one.scope === state.scope);

/** The shown models, the references first, then the best of the chosen standing. */
function rankedModels() {
  const order = standingHere(currentDataset().name)?.rows.map((row) => row.model) ?? [];
  return d3.sort(shownModels(), (model) => (order.indexOf(model.name) + 1 || Infinity));
}

/** Whether models stand in the order of their means, and not in one that was given. */
function isRanked(models, metric) {
  const of = new Map(standingHere(currentDataset().name)?.rows.map((row) => [row.model, row.ood]));
  const means = models.filter((model) => !model.reference).map((model) => of.get(model.name)).filter(Number.isFinite);
  return d3.pairs(means).every(([one, next]) => (metric.higher_is_better ? one >= next : one <= next));
}

function scopeChoice() {
  const own = facts.standings.filter((one) => one.dataset === state.data && one.metric === currentMetric().name);
  return choice("Noises", "scope", own.map(({ scope }) => [scope, scope === "all" ? "All families" : scope]));
}

/**
 * The chosen noises of the dataset as {noise, dataset}, by family; recorded ones, which have images
 * of their own, come last.
 */
function noisesHere() {
  const chosen = currentDataset();
  const places = [chosen, ...facts.datasets.filter((one) => one.recorded && one !== chosen && !chosen.recorded)];
  const measured = new Set(facts.cells.map((cell) => `${cell.dataset} ${cell.noise}`));
  const wanted = facts.noises.filter((noise) => ["all", noise.family].includes(state.scope));
  const found = places.flatMap(({ name }) => wanted.map((noise) => ({ noise, dataset: name })));
  return [...d3.group(found.filter(({ noise, dataset }) => measured.has(`${dataset} ${noise.name}`)), ({ noise }) => noise.family).values()].flat();
}

// Of the figures' markers: the symbol of d3 and its turn.
const SYMBOLS = {
  o: ["circle", 0], s: ["square", 0], "^": ["triangle", 0], v: ["triangle", 180], D: ["diamond2", 0],
  P: ["cross", 0], X: ["cross", 45], x: ["times", 0],
};
const symbolOf = (model) => {
  const [symbol, rotate] = SYMBOLS[model.marker] ?? SYMBOLS.o;
  return { symbol, rotate };
};

/** What the shown scores are of, in words: on paper nobody sees the controls. `noises` are those of noisesHere. */
function ofWhat(noises = []) {
  const { name, label } = currentDataset();
  const away = noises.filter(({ dataset }) => dataset !== name).map(({ noise }) => noise.label);
  const family = state.scope === "all" ? "" : `, ${state.scope} noise`;
  return ` on ${label ?? name}${family}${away.length ? ` (${away.join(", ")}: on their own images)` : ""}`;
}

/** The changes which lead to the cells of {data, a: model, noise, level}. */
const cellsOf = (chosen) => ({ view: "cells", noise: "", level: null, seed: null, image: "", ...chosen });

/** A line of buttons {text, mark: svg, key, pressed, and what else a button has}. */
const chartLegend = (entries) =>
  el("div", { class: "legend" }, entries.map(({ text, mark, key, pressed, ...more }) =>
    el("button", { type: "button", "data-key": `legend ${key}`, "aria-pressed": String(pressed), ...more }, mark, el("span", { class: "svg-text" }, text))));

