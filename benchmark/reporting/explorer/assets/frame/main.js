// Puts the page together: header, tabs, and the view that is chosen, drawn again at each change.

let waiting = 0;

function schedule() {
  waiting ||= requestAnimationFrame(draw);
}

function draw() {
  waiting = 0;
  const view = byName(views, state.view) ?? views[0];
  state.view = view.name;
  refresh(document.getElementById("header"), header);
  refresh(document.getElementById("tabs"), (root) => root.append(...views.map((one) => tab(one, one === view))));
  const tabs = document.getElementById("tabs");
  const chosen = document.getElementById(`tab-${view.name}`);
  tabs.scrollLeft = chosen.offsetLeft + (chosen.offsetWidth - tabs.clientWidth) / 2;
  const section = document.getElementById("view");
  section.setAttribute("aria-labelledby", `tab-${view.name}`);
  refresh(section, (root) => {
    root.dataset.view = view.name;
    view.render(root);
  });
  document.title = `${view.title} · ${facts.title}`;
  fitPaper();
}

function header(root) {
  const cells = facts.cells.length.toLocaleString("en");
  const names = new Set(facts.standings.map((one) => one.dataset));
  const datasets = facts.datasets.filter((one) => names.has(one.name));
  root.append(
    el("div", { class: "title" },
      el("h1", {}, facts.title),
      el("p", {}, `${facts.models.length} models, ${facts.noises.length} noises, ${cells} cells; protocol ${facts.protocol.name}`)),
    el("div", { class: "controls" },
      choice("Dataset", "data", datasets.map((one) => [one.name, one.label ?? one.name])),
      choice("Metric", "metric", facts.metrics.map((one) => [one.name, one.label])),
      button("Copy link", () => {
        writeHash();
        copy(location.href, "Link");
      })));
}

function tab(view, chosen) {
  return el("button", {
    type: "button", role: "tab", id: `tab-${view.name}`, "data-key": `tab ${view.name}`, "aria-controls": "view",
    "aria-selected": String(chosen), tabindex: chosen ? 0 : -1,
    onclick: () => { location.hash = hashOf({ ...state, view: view.name }); },
    onkeydown: (event) => {
      const place = views.indexOf(view);
      const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: views.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = views[(to + views.length) % views.length];
      document.getElementById(`tab-${next.name}`).focus();
      set({ view: next.name });
    },
  }, view.title);
}

// Fills an empty copy of a box, in the page so that widths are known, then puts it in the box's
// place. What has the same data-key keeps focus, scrolling and openness; a focused select or input
// stays where it is, since a slider that leaves the page ends the drag.
function refresh(old, fill) {
  const fresh = old.cloneNode(false);
  old.after(fresh);
  try {
    fill(fresh);
  } catch (error) { // the old box stays, and nothing half made beside it
    fresh.remove();
    throw error;
  }
  const kept = [...old.querySelectorAll("[data-key]")].map((one) => [one.dataset.key, one.scrollLeft, one.scrollTop, one.open]);
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const twin = active && counterpart(active, old, fresh);
  let box = fresh;
  if (twin && active.matches("select, input") && depth(active, old) === depth(twin, fresh)) {
    fresh.remove();
    graft(old, fresh, active, twin);
    box = old;
  } else {
    old.replaceWith(fresh);
    if (twin) twin.focus({ preventScroll: true });
  }
  for (const [key, scrollLeft, scrollTop, open] of kept) {
    const found = scrollLeft || scrollTop || open !== undefined ? keyed(box, key) : null;
    if (found) Object.assign(found, { scrollLeft, scrollTop }, open === undefined ? {} : { open });
  }
}

// The control that stands for one of the old box in the fresh one: by its key, else by its place.
function counterpart(active, old, fresh) {
  if (active.dataset.key) return keyed(fresh, active.dataset.key);
  const controls = (box) => [...box.querySelectorAll("button, select, input, summary, a[href], [tabindex]")];
  const found = controls(fresh)[controls(old).indexOf(active)];
  return found?.tagName === active.tagName ? found : null;
}

const keyed = (root, key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`);
const depth = (one, root) => (one === root ? 0 : 1 + depth(one.parentNode, root));

// Gives `old` what `fresh` has, all but the elements that lead to the focused control.
function graft(old, fresh, active, twin) {
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const name of fresh.getAttributeNames()) if (name !== "value") old.setAttribute(name, fresh.getAttribute(name));
  if (old === active) {
    for (const handler of ["onchange", "oninput", "onclick", "onkeydown"]) active[handler] = twin[handler];
    if (active.matches("select")) active.replaceChildren(...twin.childNodes);
    if (active.matches("select")) active.selectedIndex = twin.selectedIndex;
    else if (active.type === "checkbox") active.checked = twin.checked;
    else active.value = twin.value;
    return;
  }
  const kept = [...old.children].find((child) => child.contains(active));
  const place = [...fresh.children].find((child) => child.contains(twin));
  for (const child of [...old.childNodes]) if (child !== kept) child.remove();
  const children = [...fresh.childNodes];
  kept.before(...children.slice(0, children.indexOf(place)));
  kept.after(...children.slice(children.indexOf(place) + 1));
  graft(kept, place, active, twin);
}

// The list of models, which lies over the view, is closed by a press beside it and by Escape.
function closePickers(event) {
  for (const picker of document.querySelectorAll(".picker[open]")) {
    if (event.type === "keydown" ? event.key !== "Escape" : picker.contains(event.target)) continue;
    picker.open = false;
    if (event.type === "keydown") picker.querySelector("summary").focus();
  }
}

addEventListener("pointerdown", closePickers);
addEventListener("keydown", closePickers);

// Draws for paper, before it is laid out on sheets: light, and no table or chart larger than a sheet.
function forPaper(is) {
  if (is === printing) return;
  printing = is;
  document.documentElement.classList.toggle("paper", is);
  draw();
}

function fitPaper() {
  const sheet = 940; // CSS pixels of A4 or Letter on its side, without margins
  for (const table of document.querySelectorAll(".paper .scroll > table")) {
    table.style.zoom = Math.min(1, sheet / table.scrollWidth);
  }
  for (const chart of document.querySelectorAll(".paper .chart-box > *")) {
    const { width, height } = chart.getBoundingClientRect();
    const most = chart.matches(".curves") ? Infinity : 540; // they break between panels; titles and words need room
    chart.style.zoom = Math.min(1, sheet / width, most / height);
  }
}

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) schedule(); // a phone's address bar changes the height with every scroll
  width = innerWidth;
});
addEventListener("hashchange", readHash);
addEventListener("pagehide", writeHash);
darkScheme.addEventListener("change", schedule);
addEventListener("beforeprint", () => forPaper(true));
addEventListener("afterprint", () => forPaper(false));
inPrint.addEventListener("change", () => forPaper(inPrint.matches));
readHash();
