// Pictures and charts as files: SVG which any program shows as it looks here, and PNG.

const PAINTS = ["fill", "stroke"];
const INHERITED = [
  ...PAINTS, "fill-opacity", "stroke-opacity", "stroke-width", "stroke-dasharray",
  "stroke-linecap", "stroke-linejoin", "font-size", "font-style", "font-weight", "paint-order",
  "text-anchor", "visibility",
];

/** Buttons which download a picture: an svg, or an element with several. */
function saveButtons(picture, name) {
  picture.dataset.picture = name;
  const drawn = () => inLight(() => drawnAlone(document.querySelector(`[data-picture="${CSS.escape(name)}"]`)));
  return el("span", { class: "save" },
    button("Save SVG", () => download(svgBlob(drawn()), `${name}.svg`), `save ${name} svg`),
    button("Save PNG", async () => download(await pngBlob(drawn()), `${name}.png`), `save ${name} png`));
}

function download(blob, name) {
  const href = URL.createObjectURL(blob);
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

const svgBlob = (drawn) => new Blob([new XMLSerializer().serializeToString(drawn)], { type: "image/svg+xml" });

/** The pixels of an svg at twice its size. */
async function pngBlob(drawn) {
  const [width, height] = ["width", "height"].map((side) => 2 * drawn.getAttribute(side));
  const image = new Image();
  image.src = URL.createObjectURL(svgBlob(drawn));
  await image.decode();
  const canvas = el("canvas", { width, height });
  canvas.getContext("2d").drawImage(image, 0, 0, width, height);
  URL.revokeObjectURL(image.src);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** What `make` gives while the page is drawn for white paper. */
function inLight(make) {
  if (!darkScheme.matches) return make();
  const light = (is) => {
    printing = is;
    document.documentElement.classList.toggle("light", is);
    draw();
  };
  light(true);
  try {
    return make();
  } finally {
    light(false);
  }
}

/** One svg on white with all svgs of an element, and its texts of class `svg-text`, at their places. */
function drawnAlone(picture) {
  picture.closest(".chart-box").scrollLeft = 0; // what sticks to the edge is where it belongs
  const frame = picture.getBoundingClientRect();
  const size = { width: Math.ceil(frame.width), height: Math.ceil(frame.height) };
  const drawn = svg("svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}`, "font-family": "Helvetica, Arial, sans-serif" },
    svg("rect", { ...size, fill: "white" }));
  for (const part of picture.matches("svg") ? [picture] : picture.querySelectorAll("svg")) {
    const box = part.getBoundingClientRect();
    const { x, y, width } = part.viewBox.baseVal;
    const place = `translate(${box.left - frame.left} ${box.top - frame.top}) scale(${box.width / width}) translate(${-x} ${-y})`;
    const group = svg("g", {}, ...part.cloneNode(true).children);
    inlineStyles(part, group, {});
    group.setAttribute("transform", place);
    drawn.append(group);
  }
  for (const words of picture.querySelectorAll(".svg-text")) {
    const box = words.getBoundingClientRect();
    const fontSize = parseFloat(getComputedStyle(words).fontSize);
    const y = box.top - frame.top + box.height / 2 + 0.35 * fontSize;
    drawn.append(svg("text", { x: box.left - frame.left, y, "font-size": fontSize }, words.textContent));
  }
  return drawn;
}

/** Writes what style sheets say as attributes, which every program that reads SVG knows. */
function inlineStyles(node, twin, above) {
  const style = getComputedStyle(node);
  const own = Object.fromEntries(INHERITED.map((key) => [key, style.getPropertyValue(key)]));
  for (const name of ["class", "style", "font-family"]) twin.removeAttribute(name);
  for (const key of INHERITED) {
    if (own[key] === above[key]) twin.removeAttribute(key);
    else twin.setAttribute(key, PAINTS.includes(key) ? plainColour(own[key]) : own[key].replaceAll("px", ""));
  }
  if (style.opacity === "1") twin.removeAttribute("opacity");
  else twin.setAttribute("opacity", style.opacity);
  const twins = [...twin.children];
  [...node.children].forEach((child, place) => {
    const hidden = child.matches('style, [aria-label="tip"]') || getComputedStyle(child).display === "none";
    if (hidden) twins[place].remove();
    else inlineStyles(child, twins[place], own);
  });
}

/** A colour as #rrggbb or rgba(): mixtures are not known outside of browsers. */
function plainColour(colour) {
  if (!/^(color|oklab|oklch|lab|lch)/.test(colour)) return colour;
  const context = el("canvas", { width: 1, height: 1 }).getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? d3.rgb(red, green, blue).formatHex() : `rgba(${red},${green},${blue},${alpha / 255})`;
}
