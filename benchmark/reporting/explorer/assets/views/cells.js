// What stands behind a number: the cells of one model on one dataset, and their images' scores.

const OF_FOLDERS = ["folder", "pairs"]; // datasets of which cells do not record where their images lie
const MOST_LINES = 600; // of a table of images: what a browser lays out without a pause

views.push({
  name: "cells",
  title: "Cells",
  render(root) {
    const own = facts.cells.filter((cell) => cell.dataset === state.data);
    const model = choice("Model", "a", facts.models.map((one) => [one.name, one.label]));
    const noises = facts.noises.filter((noise) => own.some((cell) => cell.noise === noise.name));
    const noise = choice("Noise", "noise", [["", "All"], ...noises.map((one) => [one.name, one.label])]);
    const levels = state.noise ? noiseNamed(state.noise).levels : [];
    const level = choice("Level", "level", [[null, "All"], ...levels.map((one) => [one, String(one)])]);
    const seeds = [...new Set(own.filter((cell) => !state.noise || cell.noise === state.noise).map((cell) => cell.seed))].sort(d3.ascending);
    const seed = choice("Seed", "seed", [[null, "All"], ...seeds.map((one) => [one, String(one)])]);
    const against = choice("Difference to", "reference", [["", "Nothing"], ...facts.models.map((one) => [one.name, one.label])]);
    root.append(el("div", { class: "controls" }, model, noise, level, seeds.length > 1 ? seed : null, against));
    const cells = own.filter((cell) => cell.model === state.a && (!state.noise || cell.noise === state.noise) && (state.seed === null || cell.seed === state.seed));
    const chosen = cells.filter((cell) => state.level === null || cell.level === state.level);
    if (!chosen.length) {
      root.append(el("p", {}, `${modelNamed(state.a).label} has no such cell.`));
      return;
    }
    root.append(levelTable(cells), state.noise ? imageTable(chosen) : el("p", { class: "note" }, "Choose a noise for the scores of its images."));
    root.append(el("h2", {}, "Make it again"), command(reproCommand(state.a)));
  },
});

const cellLink = (text, cell, view = "cells") =>
  link(text, { view, data: cell.dataset, a: cell.model, noise: cell.noise, level: cell.level, seed: cell.seed });
const meanOf = (cell, metric) => d3.mean(cell.rows, (row) => row[2 + facts.metrics.indexOf(metric)]);

// The trainings over which a model's means are taken: the same weights under two names are one.
function countedOf(name, dataset, metric) {
  const model = modelNamed(name);
  return model?.counted[dataset]?.[metric.name] ?? model?.trainings ?? [];
}

// By image, how far a cell's scores are above those of the model to compare with: means over its
// trainings, of images which all of them have.
function differencesOf(cell, metric) {
  const place = 2 + facts.metrics.indexOf(metric);
  const counted = countedOf(state.reference, cell.dataset, metric);
  const is = (one) => one.model === state.reference && counted.includes(one.training) && ["dataset", "noise", "level", "seed"].every((key) => one[key] === cell[key]);
  const twins = facts.cells.filter(is);
  const scores = d3.rollup(twins.flatMap((twin) => twin.rows).filter((row) => !isMissing(row[place])), (rows) => rows.map((row) => row[place]), (row) => row[0]);
  const both = cell.rows.filter((row) => !isMissing(row[place]) && scores.get(row[0])?.length === counted.length);
  return new Map(both.map((row) => [row[0], row[place] - d3.mean(scores.get(row[0]))]));
}

function signed(metric, value) {
  return isMissing(value) ? "–" : (value >= 0 ? "+" : "") + number(metric, value);
}

// The metric that is chosen, its difference to the model to compare with, `next`, the other metrics.
function scoreColumns(key, scoreOf, differenceOf, ...next) {
  const metric = currentMetric();
  const column = (one) => ({ key: `${key} ${one.name}`, title: metricTitle(one), first: bestFirst(one), value: (row) => scoreOf(row, one), show: (row) => number(one, scoreOf(row, one)) });
  const difference = {
    key: `${key} difference`, title: `less ${modelNamed(state.reference)?.label}`, first: bestFirst(metric),
    value: differenceOf, show: (row) => signed(metric, differenceOf(row)),
  };
  return [
    { ...column(metric), class: "main" },
    ...(state.reference ? [difference] : []),
    ...next,
    ...facts.metrics.filter((one) => one !== metric).map(column),
  ];
}

function levelTable(cells) {
  const metric = currentMetric();
  const points = new Map(facts.points
    .filter((point) => point.model === state.a && point.dataset === state.data && point.metric === metric.name)
    .map((point) => [`${point.noise} ${point.level}`, point]));
  const several = (key) => new Set(cells.map((cell) => cell[key])).size > 1;
  const pointOf = (cell) => { // what is known of this cell's own images, and of this training alone
    const point = points.get(`${cell.noise} ${cell.level}`);
    const isOfIt = point?.images === cell.rows.length && point.seeds.includes(cell.seed);
    return isOfIt && !several("training") ? point : {};
  };
  const domain = domainOf(cells.map(pointOf));
  const differences = new Map(cells.map((cell) => [cell, d3.mean(differencesOf(cell, metric).values())]));
  const ink = inkOf(modelNamed(state.a));
  const interval = {
    key: "cell interval", title: barTitle("95 % interval", metric, domain), class: "text", first: bestFirst(metric), value: (cell) => pointOf(cell).low,
    show: (cell) => (isMissing(pointOf(cell).low) ? "–" : el("span", { class: "interval" },
      `${number(metric, pointOf(cell).low)} to ${number(metric, pointOf(cell).high)}`, bar(pointOf(cell), domain, ink))),
  };
  const columns = [
    { key: "cell noise", title: "noise", first: "up", class: "name", value: (cell) => noiseNamed(cell.noise).label, show: (cell) => cellLink(noiseNamed(cell.noise).label, cell) },
    { key: "cell level", title: "level", first: "up", value: (cell) => cell.level, show: (cell) => cellLink(String(cell.level), cell) },
    several("seed") && { key: "cell seed", title: "seed", first: "up", value: (cell) => cell.seed, show: (cell) => String(cell.seed) },
    several("training") && { key: "cell training", title: "training", class: "text", first: "up", value: (cell) => cell.training, show: (cell) => cell.training },
    { key: "cell images", title: "images", first: "down", value: (cell) => cell.rows.length, show: (cell) => String(cell.rows.length) },
    ...scoreColumns("cell", meanOf, (cell) => differences.get(cell), interval),
    { key: "cell seconds", title: "s/image", first: "up", value: (cell) => d3.mean(cell.rows, (row) => row[1]), show: (cell) => secondsOf(d3.mean(cell.rows, (row) => row[1])) },
    { key: "cell record", title: "made by", class: "text", show: (cell) => (isMissing(cell.record) ? "–" : cellLink("record", cell, "provenance")) },
  ].filter(Boolean);
  const caption = [el("b", {}, `${modelNamed(state.a).label} on ${state.data}.`), ` ${cells.length} cells${state.noise ? unitOf(noiseNamed(state.noise)) : ""}. Intervals over images, seeds together; differences over the images which both have.`];
  return sortedTable("cells", caption, columns, cells, { chosen: (cell) => cell.level === state.level && cell.noise === state.noise });
}

function imageTable(cells) {
  const metric = currentMetric();
  const rows = cells.flatMap((cell) => {
    const differences = differencesOf(cell, metric);
    return cell.rows.map((row) => ({ cell, row, image: row[0], difference: differences.get(row[0]), scene: sceneOf(cell, row[0]) }));
  });
  const several = (key) => new Set(cells.map((cell) => cell[key])).size > 1;
  const columns = [
    { key: "image", title: "image", first: "up", class: "name", value: (line) => line.image, show: (line) => (line.scene ? toScene(line.image, line.scene) : line.image) },
    { key: "image level", title: "level", first: "up", value: (line) => line.cell.level, show: (line) => String(line.cell.level) },
    several("seed") && { key: "image seed", title: "seed", first: "up", value: (line) => line.cell.seed, show: (line) => String(line.cell.seed) },
    several("training") && { key: "image training", title: "training", class: "text", first: "up", value: (line) => line.cell.training, show: (line) => line.cell.training },
    ...scoreColumns("image", (line, one) => line.row[2 + facts.metrics.indexOf(one)], (line) => line.difference),
    { key: "image seconds", title: "s", first: "up", value: (line) => line.row[1], show: (line) => secondsOf(line.row[1]) },
    { key: "image picture", title: "picture", class: "text", show: (line) => (line.scene ? toScene("look", line.scene) : "–") },
  ].filter(Boolean);
  const caption = [el("b", {}, `Image by image, ${noiseNamed(state.noise).label}${state.level === null ? "" : ` ${state.level}`}.`), " Pictures are linked where they were kept."];
  return sortedTable("images", caption, columns, rows, { chosen: (line) => line.image === state.image, most: MOST_LINES });
}

const toScene = (text, { noise, level, seed, image }) => link(text, { view: "images", noise, level, seed, image });

function sceneOf(cell, image) {
  const is = (scene) => scene.image === image && ["dataset", "noise", "level", "seed"].every((key) => scene[key] === cell[key]);
  return facts.scenes.find(is);
}

// The command that makes the chosen cells of a model again.
function reproCommand(model) {
  const trainings = modelNamed(model).trainings ?? [model];
  const names = trainings.length > 1 ? `[${trainings.join(",")}]` : trainings[0];
  const words = [`model=${names}`, `data=${state.data}`];
  if (state.noise) words.push(`noise=${state.noise}`);
  if (state.noise && state.level !== null) words.push(`level=[${state.level}]`);
  if (OF_FOLDERS.includes(currentDataset().settings.of)) words.push("images=FOLDER");
  return ["bench repro", ...[facts.folder, ...words].map(shellWord)].join(" ");
}
