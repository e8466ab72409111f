// The pieces every view is made of: elements, controls bound to the state, numbers, links.

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made[name] = value; // onclick and its like
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const labelled = (label, className, ...controls) =>
  el("label", { class: `control ${className}` }, el("span", { class: "label" }, label), ...controls);

// A select of [[value, text]...]. A value of the state which is no option becomes the first of them.
function choice(label, key, options) {
  const values = options.map(([value]) => value);
  if (!values.includes(state[key])) state[key] = values[0] ?? defaults[key];
  const select = el("select", { "data-key": key, onchange: (event) => set({ [key]: values[event.target.selectedIndex] }) });
  for (const [value, text] of options) select.append(el("option", { value: value ?? "" }, text));
  select.selectedIndex = values.indexOf(state[key]);
  return labelled(label, "choice", select);
}

// A value of the state beyond an end becomes that end.
function slider(label, key, { min, max, step = 1, format = String }) {
  const value = (state[key] = Math.min(max, Math.max(min, state[key] ?? min)));
  const range = el("input", {
    type: "range", min, max, step, "data-key": key, "aria-valuetext": format(value),
    oninput: (event) => set({ [key]: Number(event.target.value) }),
  });
  range.value = value;
  return labelled(label, "slider", range, el("output", {}, format(value)));
}

// On is the text "on", off is "": the state holds no true and false.
function toggle(label, key) {
  const box = el("input", { type: "checkbox", "data-key": key, onchange: (event) => set({ [key]: event.target.checked ? "on" : "" }) });
  box.checked = Boolean(state[key]);
  return el("label", { class: "control toggle" }, box, el("span", {}, label));
}

function modelPicker() {
  const box = (model) => {
    const input = el("input", {
      type: "checkbox", "data-key": `model ${model.name}`,
      onchange: (event) => {
        const others = state.hidden.filter((name) => name !== model.name);
        set({ hidden: event.target.checked ? others : [...others, model.name] });
      },
    });
    input.checked = !state.hidden.includes(model.name);
    return el("label", { class: "toggle" }, input, swatch(model), el("span", {}, model.label));
  };
  const names = facts.models.map((model) => model.name);
  const shown = shownModels().length;
  return el("details", { class: "picker", "data-key": "models" },
    el("summary", {}, shown === names.length ? `Models: all ${shown}` : `Models: ${shown} of ${names.length}`),
    el("div", { class: "picked" },
      el("p", {}, button("All", () => set({ hidden: [] }), "all models"), " ", button("None", () => set({ hidden: names }), "no model")),
      facts.models.map(box)));
}

const button = (text, onclick, key = text) => el("button", { type: "button", onclick, "data-key": key }, text);

// Text with the metric's digits and a true minus sign; a dash where there is no value.
function number(metric, value) {
  return Number.isFinite(value) ? value.toFixed(metric.digits).replace("-", "−") : "–";
}

// A link to the state with these changes: right click copies it, the browser's Back leaves it.
const link = (text, changes, attributes = {}) => el("a", { href: hashOf({ ...state, ...changes }), ...attributes }, text);

const SHAPES = {
  o: "M3.5 0A3.5 3.5 0 1 1-3.5 0A3.5 3.5 0 1 1 3.5 0Z", s: "M-3-3H3V3H-3Z", "^": "M0-4L3.8 3H-3.8Z", v: "M0 4L3.8-3H-3.8Z",
  D: "M0-4.2L4.2 0L0 4.2L-4.2 0Z", P: "M-1.4-4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4V-1.4H-1.4Z",
  X: "M-2.2-4L0-1.8L2.2-4L4-2.2L1.8 0L4 2.2L2.2 4L0 1.8L-2.2 4L-4 2.2L-1.8 0L-4-2.2Z", x: "M-3-3L3 3M3-3L-3 3",
};
const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const inPrint = matchMedia("print");
let printing = false; // on paper, or for a file: on white

// The model's colour, lifted where it would sink into a dark page.
function inkOf(model) {
  if (!darkScheme.matches || printing) return model.colour;
  const colour = d3.lab(model.colour);
  const isGrey = Math.hypot(colour.a, colour.b) < 5; // black becomes white, and stays apart from grey
  colour.l = Math.max(colour.l, 62, isGrey ? 95 - colour.l : 0);
  return colour.formatHex();
}

// Line and marker of a model as in the figures.
function swatch(model) {
  const ink = inkOf(model);
  return svg("svg", { class: "swatch", viewBox: "-13 -5 26 10", width: 26, height: 10, "aria-hidden": "true" },
    svg("line", { x1: -12, x2: 12, stroke: ink, "stroke-width": 1.7, "stroke-dasharray": model.dash ?? "" }),
    svg("path", { d: SHAPES[model.marker] ?? SHAPES.o, fill: model.marker === "x" ? "none" : ink, stroke: ink }));
}

const modelLabel = (model, text = model.label) => el("span", { class: "model" }, swatch(model), text);

function say(text) {
  document.getElementById("status").textContent = text;
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not allowed on this page: the way of older browsers
    const area = el("textarea", { value: text, "aria-label": what });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

// A word of a command, quoted as a shell needs it.
const shellWord = (word) => (/^[\w./=@~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

// A command line with a button that copies it.
function command(text) {
  return el("div", { class: "command" }, el("pre", {}, el("code", {}, text)), button("Copy", () => copy(text, "Command"), `copy ${text}`));
}

// A table that is sorted by the state's `sort` and `direction` ("", up or down). Its columns:
// {key, title, value(row), show(row), first: "up" or "down" (what a first click does), class,
// turned (title on its side), note (a tooltip)}; without a value it is not sorted by. `pinned` rows stand on top while nothing is sorted.
function sortedTable(name, caption, columns, rows, { pinned = () => false, chosen = () => false, most = Infinity } = {}) {
  const by = columns.find((column) => column.key === state.sort && column.value);
  const ahead = by ? () => false : pinned;
  const ordered = [...rows.filter(ahead), ...rows.filter((row) => !ahead(row))];
  if (by) ordered.sort((one, other) => compared(by.value(one), by.value(other), state.direction));
  const last = ordered.findLastIndex(ahead);
  const body = ordered.slice(0, most).map((row, place) =>
    el("tr", { class: place === last ? "above-rule" : null, "aria-current": chosen(row) ? "true" : null },
      columns.map((column, at) => el(at ? "td" : "th", { class: column.class, scope: at ? null : "row" }, column.show(row)))));
  return el("figure", {},
    el("figcaption", {}, caption),
    el("div", { class: "scroll", "data-key": `scroll ${name}`, tabindex: 0, role: "region", "aria-label": `Table: ${name}` },
      el("table", {},
        el("thead", {}, el("tr", {}, columns.map((column) => heading(column, by)))),
        el("tbody", {}, body))),
    ordered.length > most ? el("p", { class: "note" }, `The first ${most} of ${ordered.length} lines.`) : null);
}

function heading(column, by) {
  const is = column === by ? { up: "ascending", down: "descending" }[state.direction] : "none";
  const next = column !== by ? column.first : state.direction === column.first ? { up: "down", down: "up" }[column.first] : "";
  const title = el("span", { class: "words" }, column.title);
  const content = column.value
    ? el("button", {
      type: "button", class: "sort", "data-key": `sort ${column.key}`,
      onclick: () => set({ sort: next ? column.key : "", direction: next }),
    }, title, el("span", { class: "arrow", "aria-hidden": "true" }, { ascending: "↑", descending: "↓" }[is] ?? ""))
    : title;
  return el("th", {
    scope: "col", class: [column.class, column.turned && "turned"].filter(Boolean).join(" ") || null,
    "aria-sort": column.value ? is : null, title: column.note,
  }, content);
}

const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

// Missing values come last either way.
function compared(one, other, direction) {
  if (isMissing(one) || isMissing(other)) return isMissing(one) - isMissing(other);
  const order = typeof one === "number" ? one - other : String(one).localeCompare(String(other), "en", { numeric: true });
  return direction === "down" ? -order : order;
}

// An interval and its mean as a small bar; `domain` are the ends of its scale.
function bar({ low, mean, high }, domain, ink = "currentColor") {
  if (![low, mean, high].every(Number.isFinite)) return "";
  const x = d3.scaleLinear(domain, [4, 116]);
  return svg("svg", { class: "bar", viewBox: "0 0 120 12", width: 120, height: 12, role: "img", "aria-label": `${low} to ${high}` },
    svg("line", { x1: 4, x2: 116, y1: 6, y2: 6, class: "ground" }),
    svg("line", { x1: x(low), x2: x(high), y1: 6, y2: 6, stroke: ink, "stroke-width": 3, "stroke-opacity": 0.45 }),
    svg("circle", { cx: x(mean), cy: 6, r: 3, fill: ink }));
}

// A heading with the ends of the scale that the bars below it share.
const barTitle = (text, metric, [low, high]) =>
  [text, el("span", { class: "bar-ends", "aria-hidden": "true" }, el("span", {}, number(metric, low)), el("span", {}, number(metric, high)))];

const domainOf = (rows) => [d3.min(rows, (row) => row.low), d3.max(rows, (row) => row.high)];
const metricTitle = (metric) => `${metric.label} ${metric.higher_is_better ? "↑" : "↓"}`;
const bestFirst = (metric) => (metric.higher_is_better ? "down" : "up");
const unitOf = (noise) => (noise.unit ? `, level in ${noise.unit}` : "");
