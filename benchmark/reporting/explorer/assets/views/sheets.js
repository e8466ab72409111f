// The data sheets of the noises, by family.

views.push({
  name: "noises",
  title: "Noises",
  render(root) {
    const families = d3.groups(facts.noises, (one) => one.family).sort(([one], [other]) => d3.ascending(one, other));
    const options = families.flatMap(([family, members]) => members.map((one) => [one.name, `${one.label} (${family})`]));
    const picker = choice("Noise", "noise", options);
    const noise = noiseNamed(state.noise);
    const entry = (one) => link(one.label, { noise: one.name, level: null }, { "aria-current": one === noise ? "true" : null, "data-key": `sheet ${one.name}` });
    const index = families.map(([family, members]) => [el("h2", {}, family), el("ul", {}, members.map((one) => el("li", {}, entry(one))))]);
    root.append(
      el("div", { class: "controls narrow" }, picker),
      el("div", { class: "sheets" }, el("nav", { class: "index", "aria-label": "Noises by family" }, index), sheetOf(noise)));
  },
});

function sheetOf(noise) {
  const sheet = el("div", { class: "prose" });
  sheet.innerHTML = noise.sheet; // HTML that the page's maker wrote
  for (const away of sheet.querySelectorAll("a[href^=http]")) Object.assign(away, { target: "_blank", rel: "noreferrer" });
  const scenes = facts.scenes.filter((scene) => scene.noise === noise.name);
  const { of, ...changed } = noise.settings;
  const measured = d3.groups(noise.noisy, (one) => one.dataset);
  return el("article", {},
    el("h1", {}, noise.label),
    el("p", { class: "quiet" }, `${noise.family}${noise.recorded ? ", recorded" : ""}${unitOf(noise)}`),
    noise.note ? el("p", { class: "note" }, noise.note) : null,
    sheet,
    el("h2", {}, "Levels"),
    el("div", { class: "scroll", "data-key": "scroll levels", tabindex: 0, role: "region", "aria-label": "Levels" }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { class: "name", scope: "col" }, "level"),
        measured.map(([dataset]) => el("th", { scope: "col" }, `noisy ${dataset}, PSNR (dB)`)),
        el("th", { scope: "col", class: "text" }, "pictures"))),
      el("tbody", {}, noise.levels.map((level) => {
        const scene = scenes.find((one) => one.level === level);
        return el("tr", {}, el("th", { class: "name", scope: "row" }, link(String(level), cellsOf({ data: datasetOf(noise, level), noise: noise.name, level }))),
          measured.map(([, rows]) => el("td", {}, rows.find((one) => one.level === level)?.psnr.toFixed(2) ?? "–")),
          el("td", { class: "text" }, scene ? link("look", { view: "images", data: scene.dataset, noise: noise.name, level, seed: scene.seed, image: scene.image }) : "–"));
      })))),
    el("h2", {}, "Settings"),
    settingsTable(of === noise.name ? changed : noise.settings));
}

// Where a level's cells are: in the chosen dataset if it has them, else in the first that does.
function datasetOf(noise, level) {
  const names = facts.cells.filter((cell) => cell.noise === noise.name && cell.level === level).map((cell) => cell.dataset);
  return names.includes(state.data) ? state.data : names[0];
}

// Settings as lines of name and value; those of a part as part.name.
function settingsTable(settings) {
  const lines = flattened(settings);
  if (!lines.length) return el("p", { class: "quiet" }, "None.");
  return el("div", { class: "scroll", "data-key": `scroll ${lines.join()}`, tabindex: 0, role: "region", "aria-label": "Settings" }, el("table", { class: "settings" },
    el("tbody", {}, lines.map(([name, value]) => el("tr", {}, el("th", { scope: "row", class: "name" }, brokenAtDots(name)), el("td", { class: "text" }, el("code", {}, value)))))));
}

const brokenAtDots = (name) => name.split(/(?<=\.)/).flatMap((part) => [part, el("wbr")]);

function flattened(value, path = "") {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([name, part]) => flattened(part, path ? `${path}.${name}` : name));
}
