// The view of images: a scene's pictures side by side, and two of them under one slider.

Object.assign(defaults, { among: "level", order: "given", mode: "image", gain: 4 });

const MODES = [
  ["image", "Images"],
  ["residual", "Residuals, restored − clean"],
  ["error", "Absolute errors"],
  ["error_grey", "Absolute errors, in grey"],
];
const AMONG = [["level", "This level"], ["noise", "All levels of the noise"], ["all", "All noises"]];

let preparing = 0; // a timer: the scenes before and after are decoded too, so that a step is quick

views.push({ name: "images", title: "Images", render: renderImages });

function renderImages(root) {
  const dataset = currentDataset().name;
  const conditions = conditionsOf(dataset);
  if (!conditions.length) return root.append(el("p", {}, `There are no cells of ${dataset}.`));
  const selects = [...conditionChoices(conditions), choice("Images of", "among", AMONG), choice("Order", "order", SCENE_ORDERS)];
  const exchange = named(button("⇄", () => set({ a: state.b, b: state.a })), "Exchange A and B");
  const sides = el("div", { class: "sides" }, choice("A", "a", sideOptions()), exchange, choice("B", "b", sideOptions()));
  const among = conditions.filter(({ noise, level, seed }) => {
    if (state.among === "level") return noise === state.noise && level === state.level && seed === state.seed;
    return state.among === "all" || noise === state.noise;
  });
  const metric = currentMetric();
  const listed = orderScenes(scenesOf(among), state.order, state.a, state.b, metric);
  listed.sort((one, other) => Boolean(other.scene.kept) - Boolean(one.scene.kept)); // else the order stays
  const chosen = sceneKey({ ...state, dataset });
  const place = Math.max(0, listed.findIndex(({ scene }) => sceneKey(scene) === chosen));
  const { scene } = listed[place];
  const stage = el("div", { class: "stage" });
  root.append(el("div", { class: "controls" }, selects, modelPicker(), choice("Show", "mode", MODES),
    state.mode !== "image" && slider("Gain", "gain", { min: 1, max: 20, format: (gain) => `× ${gain}` })), stage);
  showScene(stage, scene, metric, sides, sceneList(listed, place, metric));
  const near = [listed[place + 1], listed[place - 1]].filter((entry) => entry?.scene.kept);
  clearTimeout(preparing);
  preparing = setTimeout(() => near.forEach(({ scene }) => whenDecoded(linesOf(scene), () => {})), 300);
}

const shownNames = () => ["clean", "noisy", ...shownModels().map(({ name }) => name).filter((name) => name !== "identity")];
const linesOf = (scene) =>
  [...new Set([...shownNames(), state.a, state.b].map((name) => pictureLine(scene, name)))].filter((line) => line !== undefined);
const nameOf = (name) => modelNamed(name)?.label ?? name;
/** A model's name with that of the training which stands for it, where there are several. */
function nameIn(scene, name) {
  const model = modelNamed(name);
  return model?.trainings.length > 1 ? `${model.label}, ${trainingOf(scene, model)}` : nameOf(name);
}
const sideOptions = () =>
  [...facts.models.map(({ name }) => name).filter((name) => name !== "identity"), "noisy", "clean"].map((name) => [name, nameOf(name)]);

/** A scene: A and B under one slider, where it lies, the list of scenes, and all its pictures. */
function showScene(stage, scene, metric, sides, list) {
  const text = scoreTexts(scene, metric);
  if (!scene.kept) {
    const tiles = shownNames().slice(1).map((name) => tile(name, text, undefined, scene));
    const look = el("div", { class: "look" }, el("div", { class: "pair" }, sides, noPictures(scene)), el("div", { class: "aside" }, list));
    return stage.append(look, el("div", { class: "tiles" }, tiles));
  }
  const [top, left, height, width] = scene.kept.box;
  const reference = scene.kept.pictures.clean;
  const paints = []; // {line, canvas, plain, says}: to be painted when the pictures are decoded
  const picture = (name, plain = false) => {
    const canvas = el("canvas", { width, height, role: "img", "aria-label": nameOf(name), "data-picture": name });
    const line = pictureLine(scene, name);
    const says = el("output", { class: "pixel" }, "\u00a0");
    if (line !== undefined) paints.push({ line, canvas, plain, says });
    return { canvas, says, missing: line === undefined };
  };
  const [a, b, clean] = [picture(state.a), picture(state.b), picture("clean", true)];
  const pane = comparePane(a, b, text, scene);
  const tiles = shownNames().map((name) => tile(name, text, picture(name), scene));
  const where = el("output", { class: "where" }, "\u00a0");
  stage.style.setProperty("--aspect", width / height);
  stage.append(
    el("div", { class: "look" },
      el("div", { class: "pair" },
        sides,
        pane,
        el("div", { class: "tools" },
          named(button("−", () => together.zoomBy(1 / 1.5), "zoom out"), "Zoom out"),
          named(button("+", () => together.zoomBy(1.5), "zoom in"), "Zoom in"),
          named(button("Fit", () => together.reset()), "Show the whole picture"),
          el("output", { class: "zoom", "aria-label": "Zoom" }),
          holdButton("Hold to swap", (held) => pane.classList.toggle("held", held)),
          named(button("Save", () => savePair(scene, together.seen(), a.canvas, b.canvas), "save pair"), "Save A and B as PNG")),
        el("div", { class: "reading" }, colourBar(),
          el("p", { class: "readout" }, where, el("span", {}, "A ", a.says), el("span", {}, "B ", b.says)))),
      el("div", { class: "aside" }, overview(scene, clean.canvas), list)),
    el("div", { class: "tiles" }, tiles),
    el("p", { class: "hint" }, HINT, !readsExactly() && NOT_EXACT));
  let decoded = new Map();
  const together = lookTogether(stage, { width, height }, (column, row) => {
    where.value = column === null ? "\u00a0" : `Row ${top + row}, column ${left + column}`;
    for (const { line, says } of paints) {
      const ready = column !== null && decoded.has(line);
      says.value = ready ? pixelText(decoded.get(line), decoded.get(reference), state.mode, column, row) : "\u00a0";
    }
  });
  together.steer(pane, true);
  for (const { canvas } of paints) if (canvas.closest(".tile")) together.steer(canvas.parentNode, false);
  pane.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "f") pane.classList.add("pressed");
    else if (!together.press(event.key)) return;
    event.preventDefault();
  };
  pane.onkeyup = pane.onblur = () => pane.classList.remove("pressed");
  const paint = (pictures) => {
    decoded = pictures;
    const shades = new Map();
    for (const { line, canvas, plain } of paints) {
      const original = decoded.get(line);
      if (!plain && !shades.has(line)) shades.set(line, shade(original, decoded.get(reference), state.mode, state.gain));
      canvas.getContext("2d").putImageData(plain ? original : shades.get(line), 0, 0);
    }
    stage.dataset.painted = state.mode;
  };
  whenDecoded([reference, ...linesOf(scene)], paint);
}
