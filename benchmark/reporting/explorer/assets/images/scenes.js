// Lists the scenes of the cells, in an order by the scores of whole images, to choose one from.

const LISTED = 200; // scenes shown of a longer list

const SCENE_ORDERS = [
  ["given", "As listed"],
  ["worst", "Worst for A first"],
  ["a_over_b", "Where A beats B most"],
  ["b_over_a", "Where B beats A most"],
];

/** The conditions of a dataset, [{dataset, noise, level, seed, cells}], noises and levels in order. */
function conditionsOf(dataset) {
  const names = facts.noises.map((noise) => noise.name);
  const level = (condition) => noiseNamed(condition.noise).levels.indexOf(condition.level);
  const cells = facts.cells.filter((cell) => cell.dataset === dataset);
  return [...d3.group(cells, (cell) => [cell.noise, cell.level, cell.seed].join("\n")).values()]
    .map((own) => ({ dataset, noise: own[0].noise, level: own[0].level, seed: own[0].seed, cells: own }))
    .sort((one, other) =>
      names.indexOf(one.noise) - names.indexOf(other.noise) || level(one) - level(other) || one.seed - other.seed);
}

/** Text by which a scene is known, of anything with its five fields. */
const sceneKey = ({ dataset, noise, level, seed, image }) => [dataset, noise, level, seed, image].join("\n");

/**
 * The scenes of conditions, images in the cells' order.
 *
 * Each is {dataset, noise, level, seed, image, rows: Map of the cells' rows by training, kept: what
 * facts.scenes has of it, with its pictures, or undefined}.
 */
function scenesOf(conditions) {
  const kept = new Map(facts.scenes.map((scene) => [sceneKey(scene), scene]));
  return conditions.flatMap(({ cells, ...condition }) => {
    const scenes = new Map();
    for (const { training, rows } of cells) {
      for (const row of rows) {
        if (!scenes.has(row[0])) {
          const scene = { ...condition, image: row[0], rows: new Map() };
          scenes.set(row[0], { ...scene, kept: kept.get(sceneKey(scene)) });
        }
        scenes.get(row[0]).rows.set(training, row);
      }
    }
    return [...scenes.values()];
  });
}

/** The training that stands for a model: the first whose picture is kept, else the first. */
const trainingOf = (scene, model) =>
  model.trainings.find((training) => Object.hasOwn(scene.kept?.pictures ?? {}, training)) ?? model.trainings[0];

/** The line of the picture of clean, noisy or a model, or undefined where none is kept. */
function pictureLine(scene, name) {
  const model = modelNamed(name);
  const key = model ? trainingOf(scene, model) : name;
  return Object.hasOwn(scene.kept?.pictures ?? {}, key) ? scene.kept.pictures[key] : undefined;
}

/** A model's score of a whole image, or null; noisy has that of identity, clean has none. */
function sceneScore(scene, name, metric) {
  const model = modelNamed(name === "noisy" ? "identity" : name);
  const row = model && scene.rows.get(trainingOf(scene, model));
  return row?.[2 + facts.metrics.indexOf(metric)] ?? null;
}

/** Scenes as [{scene, value}] in an order, value being what it goes by; those without one last. */
function orderScenes(scenes, order, a, b, metric) {
  const better = metric.higher_is_better ? 1 : -1;
  const difference = (one, other) => (one === null || other === null ? null : one - other);
  const valued = scenes.map((scene) => {
    const [scoreA, scoreB] = [sceneScore(scene, a, metric), sceneScore(scene, b, metric)];
    const value = { a_over_b: difference(scoreA, scoreB), b_over_a: difference(scoreB, scoreA) };
    return { scene, value: order in value ? value[order] : scoreA };
  });
  if (order === "given") return valued;
  const first = order === "worst" ? better : -better;
  return valued.sort((one, other) => {
    if (one.value === null || other.value === null) return (one.value === null) - (other.value === null);
    return first * (one.value - other.value);
  });
}

/** Selects of noise, level and, where there are several, seed, of those that the cells have. */
function conditionChoices(conditions) {
  const unique = (key, those) => [...new Set(those.map((condition) => condition[key]))];
  const noise = choice("Noise", "noise", unique("noise", conditions).map((name) => [name, noiseNamed(name).label]));
  const own = conditions.filter((condition) => condition.noise === state.noise);
  const levels = unique("level", own);
  if (!levels.includes(state.level)) state.level = levels.at(-1); // where denoisers differ most
  const seeds = unique("seed", own.filter(({ level }) => level === state.level));
  if (!seeds.includes(state.seed)) state.seed = seeds[0];
  return [noise, choice("Level", "level", levels.map((level) => [level, level])),
    seeds.length > 1 && choice("Seed", "seed", seeds.map((seed) => [seed, seed]))];
}

/** Previous, next, and the scenes in their order, those without pictures after the others. */
function sceneList(listed, place, metric) {
  const go = ({ scene: { noise, level, seed, image } }) => set({ noise, level, seed, image });
  const step = (text, to) => {
    const made = button(text, () => go(listed[to]));
    made.disabled = !listed[to];
    return made;
  };
  const from = clamp(place - LISTED / 2, 0, Math.max(0, listed.length - LISTED));
  const signed = state.order.includes("over");
  const rows = listed.slice(from, from + LISTED).map((entry, i) => {
    const { scene, value } = entry;
    const condition = state.among === "level" ? "" : ` ${noiseNamed(scene.noise).label} ${scene.level}`;
    const row = button("", () => go(entry), sceneKey(scene));
    row.append(
      el("span", { class: "image" }, scene.image, el("small", {}, condition)),
      el("span", { class: "number" }, `${signed && value > 0 ? "+" : ""}${number(metric, value)}`));
    if (from + i === place) row.setAttribute("aria-current", "true");
    const heading = !scene.kept && (from + i === 0 || listed[from + i - 1].scene.kept);
    return [heading && el("li", { class: "heading" }, "Scores only, no pictures kept"), el("li", {}, row)];
  });
  const list = el("ol", { class: "list", "data-key": "scenes" }, rows);
  requestAnimationFrame(() => {
    const current = list.querySelector("[aria-current]");
    const above = current.offsetTop - list.offsetTop;
    list.scrollTop = clamp(list.scrollTop, above + current.offsetHeight - list.clientHeight, above);
  });
  const [, words] = SCENE_ORDERS.find(([order]) => order === state.order);
  const what = { given: `${metric.label} of A`, worst: `${metric.label} of A` }[state.order] ?? `${metric.label}, difference`;
  return el("nav", { class: "scenes", "aria-label": "Scenes" },
    el("div", { class: "step" }, step("‹ Previous", place - 1), el("span", {}, `${place + 1} of ${listed.length}`), step("Next ›", place + 1)),
    el("p", { class: "caption" }, el("span", {}, words), el("span", {}, what)),
    list);
}
