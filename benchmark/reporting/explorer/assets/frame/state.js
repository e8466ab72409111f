// What the page knows (facts) and what is chosen (state), which the address keeps after its #.

const facts = await readFacts(document.getElementById("facts"));

// A view adds its own before main.js starts: Object.assign(defaults, {gain: 4}). A number or null
// is read back as a number, an array as an array, anything else as text.
const defaults = {
  view: "leaderboard",
  data: facts.standings[0]?.dataset ?? facts.datasets[0]?.name ?? "",
  metric: facts.metrics[0]?.name ?? "",
  scope: "all",
  hidden: [],
  reference: "",
  sort: "",
  direction: "",
  noise: "",
  level: null,
  seed: null,
  image: "",
  a: (facts.models.find((model) => !model.reference) ?? facts.models[0])?.name ?? "",
  b: facts.models.filter((model) => !model.reference)[1]?.name ?? facts.models[0]?.name ?? "",
};
const state = {};
const views = []; // {name, title, render(root)}, one tab each

async function readFacts(script) {
  if (script.type === "application/json") return JSON.parse(script.textContent);
  const packed = Uint8Array.from(atob(script.textContent.trim()), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function stateOf(hash) {
  const read = new URLSearchParams(hash.replace(/^#/, ""));
  const found = structuredClone(defaults);
  for (const [key, usual] of Object.entries(defaults)) {
    if (!read.has(key)) continue;
    const text = read.get(key);
    if (Array.isArray(usual)) found[key] = read.getAll(key);
    else if (usual !== null && typeof usual !== "number") found[key] = text;
    else if (text !== "" && Number.isFinite(Number(text))) found[key] = Number(text);
  }
  return found;
}

function hashOf(chosen) {
  const written = new URLSearchParams();
  for (const [key, usual] of Object.entries(defaults)) {
    const values = [chosen[key]].flat().map((value) => value ?? "");
    if (String(values) === String([usual].flat().map((value) => value ?? ""))) continue;
    for (const value of values) written.append(key, value);
  }
  return `#${written}`;
}

let writing = 0;

function set(changes) {
  Object.assign(state, changes);
  clearTimeout(writing); // browsers refuse an address that changes with every step of a slider
  writing = setTimeout(writeHash, 150);
  schedule();
}

function writeHash() {
  clearTimeout(writing);
  if (hashOf(stateOf(location.hash)) !== hashOf(state)) history.replaceState(null, "", hashOf(state));
}

function readHash() {
  clearTimeout(writing);
  Object.assign(state, stateOf(location.hash));
  schedule();
}

const byName = (list, name) => list.find((one) => one.name === name);
const modelNamed = (name) => byName(facts.models, name);
const noiseNamed = (name) => byName(facts.noises, name);
const currentDataset = () => byName(facts.datasets, state.data) ?? facts.datasets[0];
const currentMetric = () => byName(facts.metrics, state.metric) ?? facts.metrics[0];
const shownModels = () => facts.models.filter((model) => !state.hidden.includes(model.name));
