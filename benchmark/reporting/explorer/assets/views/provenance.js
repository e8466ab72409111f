// How the numbers were made: one cell's record, then protocol, commands, models, data, versions.

views.push({
  name: "provenance",
  title: "Provenance",
  render(root) {
    root.append(
      el("h2", {}, "Protocol"), el("p", { class: "prose" }, `${facts.protocol.words}.`),
      el("h2", {}, "Commands"), ...facts.commands.map(command),
      el("h2", {}, "One cell"), ...oneCell(),
      el("h2", {}, "Models"), modelsTable(),
      el("h2", {}, "Data"), ...facts.datasets.map((one) => el("details", { "data-key": `data ${one.name}` }, el("summary", {}, `${one.name}: ${one.images.length} images`), settingsTable(one.settings))),
      el("h2", {}, "Made on"), ...environments());
  },
});

function oneCell() {
  const own = facts.cells.filter((cell) => cell.dataset === state.data);
  const model = choice("Model", "a", facts.models.map((one) => [one.name, one.label]));
  const noises = facts.noises.filter((noise) => own.some((cell) => cell.noise === noise.name));
  const noise = choice("Noise", "noise", noises.map((one) => [one.name, one.label]));
  const cells = own.filter((cell) => cell.model === state.a && cell.noise === state.noise);
  const level = choice("Level", "level", d3.sort(new Set(cells.map((cell) => cell.level))).map((one) => [one, String(one)]));
  const found = cells.filter((cell) => cell.level === state.level);
  const controls = el("div", { class: "controls" }, model, noise, level);
  if (!found.length) return [controls, el("p", {}, "This model has no such cell.")];
  return [controls, command(reproCommand(state.a)), ...found.map((cell) => {
    const { settings, ...made } = facts.records[cell.record] ?? {};
    return el("details", { "data-key": `cell ${cell.training} ${cell.seed}`, open: found.length === 1 },
      el("summary", {}, `${cell.training}, seed ${cell.seed}: ${cell.rows.length} images`),
      el("p", {}, cellLink("Its scores", cell)),
      isMissing(cell.record) ? el("p", {}, "These scores came without a record.") : settingsTable({ ...made, ...settings }));
  })];
}

function modelsTable() {
  const count = (value) => (isMissing(value) ? "–" : value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : value.toLocaleString("en"));
  const lines = (values) => flattened(values).map(([name, value]) => `${name}=${value}`).join(", ") || "–";
  const columns = [
    { key: "made model", title: "model", first: "up", class: "name", value: (model) => model.label, show: modelLabel },
    { key: "made parameters", title: "parameters", first: "up", value: (model) => model.parameters, show: (model) => count(model.parameters) },
    { key: "made gmacs", title: "GMACs/MP", first: "up", value: (model) => model.gmacs, show: (model) => (isMissing(model.gmacs) ? "–" : model.gmacs.toLocaleString("en", { maximumSignificantDigits: 3 })) },
    { key: "made weights", title: "weights (SHA-256)", class: "text", show: (model) => (model.weights ? model.weights.split(" ").map((hash) => el("code", { title: hash }, hash.slice(0, 12), " ")) : "–") },
    { key: "made settings", title: "settings", class: "text wide", show: (model) => lines(model.settings) },
    { key: "made note", title: "note", class: "text wide", show: (model) => [model.note, model.cost_note].filter(Boolean).join("; ") || "–" },
  ];
  return sortedTable("models", "GMACs/MP: 10⁹ multiplications with their additions per megapixel.", columns, facts.models);
}

// The cells by where they were made: environment, precision and tiles.
function environments() {
  const groups = d3.groups(facts.cells.filter((cell) => !isMissing(cell.record)), (cell) => {
    const { settings, code, ...made } = facts.records[cell.record]; // these two differ by cell
    return JSON.stringify(made);
  });
  if (!groups.length) return [el("p", {}, "These scores came without records.")];
  return groups.map(([made, cells], place) => el("details", { "data-key": `made ${place}`, open: groups.length === 1 },
    el("summary", {}, `${cells.length.toLocaleString("en")} cells of ${[...new Set(cells.map((cell) => modelNamed(cell.model).label))].join(", ")}`),
    settingsTable(JSON.parse(made))));
}
