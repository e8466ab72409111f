// The parts of the view of images: a picture's tile, the compared pair, the map of the crop, the scale.

const HINT =
  "Drag to move, pinch or double click to zoom; the wheel zooms over the large picture, and with Ctrl over a small one. " +
  "With the large picture in focus: arrow keys move, + and − zoom, 0 shows the whole, F held swaps A and B.";
const NOT_EXACT =
  " This browser changes the pixels that a page reads, so that residuals, errors and values are not exact here.";

/** Texts of a name's score of the whole image, and how far it is from the best shown and from B. */
function scoreTexts(scene, metric) {
  const scores = new Map(facts.models.map(({ name }) => [name, sceneScore(scene, name, metric)]));
  const judged = shownModels().filter(({ name }) => name !== "identity" && scores.get(name) !== null);
  const best = d3.greatest(judged, ({ name }) => (metric.higher_is_better ? 1 : -1) * scores.get(name));
  const signed = (value) => `${value > 0 ? "+" : ""}${number(metric, value)}`;
  return (name) => {
    const score = sceneScore(scene, name, metric);
    if (score === null) return { score: name === "clean" ? "" : "–", differences: [] };
    const against = sceneScore(scene, state.b, metric);
    const differences = [];
    if (name === best?.name) differences.push("best");
    else if (best) differences.push(`${signed(score - scores.get(best.name))} to best`);
    if (name !== state.b && state.b !== best?.name && against !== null) differences.push(`${signed(score - against)} to B`);
    return { score: `${number(metric, score)} ${metric.unit}`.trim(), differences };
  };
}

const spot = () => el("div", { class: "spot", "aria-hidden": "true" });

/** A button which another name describes better than its text does. */
function named(made, name) {
  made.setAttribute("aria-label", name);
  made.title = name;
  return made;
}

/** One picture with its name, its score, and buttons that show it as A or B or save it. */
function tile(name, text, picture, scene) {
  const model = modelNamed(name);
  const { score, differences } = text(name);
  const side = (key) => {
    const made = named(button(key.toUpperCase(), () => set({ [key]: name }), `${key} ${name}`), `Show ${nameOf(name)} as ${key.toUpperCase()}`);
    made.setAttribute("aria-pressed", String(state[key] === name));
    return made;
  };
  const save = () => savePixels(picture.canvas, pictureName(scene, name));
  return el("figure", { class: "tile", "data-tile": name },
    picture && el("div", { class: "window" }, picture.missing ? el("p", {}, "no picture kept") : [picture.canvas, spot()]),
    el("figcaption", {},
      el("div", {}, model ? modelLabel(model, nameIn(scene, name)) : el("span", { class: "model" }, name)),
      el("div", { class: "score" }, el("span", {}, score), picture && !picture.missing && [side("a"), side("b"),
        named(button("↓", save, `save ${name}`), `Save ${nameOf(name)} as PNG`)]),
      differences.map((difference) => el("small", {}, difference)),
      picture?.says));
}

/** A over B, A seen left of the divider. */
function comparePane(a, b, text, scene) {
  const label = (side, name) => el("span", {}, el("b", {}, side), ` ${nameIn(scene, name)} `, el("small", {}, text(name).score));
  const pane = el("div", {
    class: "window compare", tabindex: 0, role: "group", "data-key": "compare",
    "aria-label": "A beside B: arrow keys move, plus and minus zoom, 0 shows the whole, F held swaps A and B",
  }, b.canvas, el("div", { class: "half" }, a.canvas), spot(), el("div", { class: "names" }, label("A", state.a), label("B", state.b)));
  for (const [side, name, { missing }] of [["A", state.a, a], ["B", state.b, b]]) {
    if (missing) pane.append(el("p", { class: "missing" }, `No picture of ${nameOf(name)} is kept: choose another ${side}.`));
  }
  divider(pane);
  return pane;
}

/** A button that does something for as long as it is held, by pointer or key. */
function holdButton(text, act) {
  const held = button(text, null);
  const [start, stop] = [() => act(true), () => act(false)];
  held.onpointerdown = start;
  held.onpointerup = held.onpointerleave = held.onpointercancel = held.onblur = held.onkeyup = stop;
  held.onkeydown = (event) => { // false would hold the tabulator back
    if ([" ", "Enter"].includes(event.key)) start();
  };
  held.oncontextmenu = (event) => event.preventDefault(); // a long touch
  return held;
}

/** The whole image as a frame, in it the crop that is kept, and in that the part now seen. */
function overview(scene, canvas) {
  const [height, width] = scene.kept.size;
  const [top, left, rows, columns] = scene.kept.box;
  const percent = (part, whole) => `${(100 * part) / whole}%`;
  const box = `left:${percent(left, width)};top:${percent(top, height)};width:${percent(columns, width)};height:${percent(rows, height)}`;
  const noise = noiseNamed(scene.noise);
  const whole = rows === height && columns === width;
  return el("div", { class: "overview" },
    el("div", { class: "whole", style: `aspect-ratio:${width}/${height}` },
      el("div", { class: "crop", style: box }, canvas, el("div", { class: "seen" }))),
    el("div", {},
      el("h2", {}, scene.image),
      el("p", {}, `${noise.label} ${scene.level}`, noise.unit && el("small", {}, ` ${noise.unit}`)),
      el("p", { class: "caption" }, whole
        ? `The pictures, like the scores, are of the whole image, ${width} × ${height} pixels.`
        : `The pictures are ${columns} × ${rows} pixels of it, from column ${left}, row ${top}, of ${width} × ${height}; the scores are of the whole image, as in the cells.`)));
}

/** What stands in the pictures' place where none are kept. */
function noPictures(scene) {
  const runs = facts.commands.filter((text) => text.startsWith("bench run"));
  const words = (runs.length ? runs : ["bench run"]).map((run) => run.replace(/ (out|pictures)=('[^']*'|\S+)/g, "")); // the folder may have moved since
  return el("div", {},
    el("h2", {}, `${scene.image}, ${noiseNamed(scene.noise).label} ${scene.level}`),
    el("p", {}, "No pictures of this scene are in this page, only its scores. They are kept by a run with ", el("code", {}, "pictures=all"), runs.length > 1 ? "; explore the folder again after the one of these which scored it:" : "; explore the folder again after it:"),
    words.map((run) => command(`${run} pictures=all out=${shellWord(facts.folder)}`)));
}

/** The scale of residuals or errors: which shade is which difference, in steps of 8 bits. */
function colourBar() {
  if (state.mode === "image") return null;
  const canvas = el("canvas", { width: 256, height: 1, "aria-hidden": "true" });
  const bar = new ImageData(256, 1);
  const packed = new Uint32Array(bar.data.buffer);
  packed.set(errorColours(state.mode === "error" ? "error" : "error_grey"));
  canvas.getContext("2d").putImageData(bar, 0, 0);
  const least = (value) => (value / state.gain).toLocaleString("en", { maximumFractionDigits: 1 });
  const ends = state.mode === "residual" ? [`−${least(128)}`, "0", `+${least(127)}`] : ["0", least(127.5), least(255)];
  const what = state.mode === "residual" ? "restored − clean, each channel, of 255" : "|restored − clean|, mean of the channels, of 255";
  return el("div", { class: "shades" }, canvas, el("div", {}, ends.map((end) => el("span", {}, end))), el("small", {}, what));
}

/** A file's name: what is shown, noise and level, dataset, image. */
function pictureName(scene, ...names) {
  const mode = state.mode === "image" ? [] : [`${state.mode}-x${state.gain}`];
  const seed = scene.seed ? [`seed${scene.seed}`] : [];
  const parts = [names.join("-vs-"), `${scene.noise}-${scene.level}`, scene.dataset, scene.image, ...seed, ...mode];
  return parts.join("_").replace(/[^\w.@-]+/g, "-");
}

/** Saves what is seen of A and B, a pixel a pixel, the divider at the nearest one. */
function savePair(scene, [left, top, right, bottom], a, b) {
  const [x, y] = [Math.floor(left + 1e-6), Math.floor(top + 1e-6)];
  const [width, height] = [Math.ceil(right - 1e-6) - x, Math.ceil(bottom - 1e-6) - y];
  const canvas = el("canvas", { width, height });
  const context = canvas.getContext("2d");
  const seam = clamp(Math.round(left + (state.split / 100) * (right - left)) - x, 0, width);
  context.drawImage(b, -x, -y);
  if (seam) context.drawImage(a, x, y, seam, height, 0, 0, seam, height);
  savePixels(canvas, pictureName(scene, state.a, state.b));
}
