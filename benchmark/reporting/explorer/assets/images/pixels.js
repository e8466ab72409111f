// Decodes the embedded pictures and computes residuals and errors of their 8-bit values.

const DECODED_BYTES = 128 * 2 ** 20; // of decoded pictures kept in memory
const pictures = document.getElementById("pictures").textContent.split("\n"); // a line of base64 each
const decodedPictures = new Map(); // ImageData by line of the pictures, the longest unused first
const decoding = new Map(); // promises of ImageData, by line

/** Decodes pictures, and then uses them, a Map of ImageData by line; at once where it can. */
function whenDecoded(lines, use) {
  if (lines.every((line) => decodedPictures.has(line))) use(new Map(lines.map((line) => [line, recall(line)])));
  else decodePictures(lines).then(use, (error) => say(`The pictures of this scene cannot be decoded: ${error.message}`));
}

async function decodePictures(lines) {
  return new Map(await Promise.all(lines.map(async (line) => [line, await decodePicture(line)])));
}

function decodePicture(line) {
  if (decodedPictures.has(line)) return recall(line);
  if (!decoding.has(line)) decoding.set(line, decode(line).finally(() => decoding.delete(line)));
  return decoding.get(line);
}

function recall(line) {
  const picture = decodedPictures.get(line);
  decodedPictures.delete(line); // and back, as the one used last
  return decodedPictures.set(line, picture).get(line);
}

async function decode(line) {
  const file = await (await fetch(`data:image/webp;base64,${pictures[line]}`)).blob(); // faster than atob
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  decodedPictures.set(line, context.getImageData(0, 0, width, height));
  let total = 0;
  for (const [kept, { data }] of [...decodedPictures].reverse()) {
    total += data.length;
    if (total > DECODED_BYTES && kept !== line) decodedPictures.delete(kept);
  }
  return decodedPictures.get(line);
}

/**
 * What is shown of a picture, ImageData of its size.
 *
 * image: the picture itself. residual: 128 + gain * (picture - clean), by channel. error: gain *
 * mean |picture - clean| over the channels, as a colour of errorColours. Both end at 0 and 255.
 */
function shade(picture, clean, mode, gain) {
  if (mode === "image" || picture === clean) return picture;
  const shown = new ImageData(picture.width, picture.height);
  const [from, to, into] = [clean.data, picture.data, shown.data];
  if (mode === "residual") {
    for (let i = 0; i < into.length; i++) into[i] = 128 + gain * (to[i] - from[i]);
    for (let i = 3; i < into.length; i += 4) into[i] = 255;
    return shown;
  }
  const colours = errorColours(mode);
  const packed = new Uint32Array(into.buffer);
  for (let i = 0; i < packed.length; i++) {
    packed[i] = colours[Math.min(255, Math.round(gain * meanError(to, from, 4 * i)))];
  }
  return shown;
}

/** Mean over the channels of the absolute difference of one pixel, 0 to 255. */
function meanError(data, clean, i) {
  const difference = (channel) => Math.abs(data[i + channel] - clean[i + channel]);
  return (difference(0) + difference(1) + difference(2)) / 3;
}

/** 256 colours from no error to the largest: black to white, or inferno, which is even to the eye. */
function errorColours(mode) {
  const colours = d3.range(256).map((i) =>
    mode === "error_grey" ? d3.rgb(i, i, i) : d3.rgb(d3.interpolateInferno(i / 255)),
  );
  const bytes = colours.flatMap(({ r, g, b }) => [r, g, b, 255]);
  return new Uint32Array(Uint8ClampedArray.from(bytes).buffer);
}

/** What a mode says of one pixel: its values, signed differences from clean, or the mean error. */
function pixelText(picture, clean, mode, column, row) {
  const i = 4 * (row * picture.width + column);
  const values = [...picture.data.subarray(i, i + 3)];
  if (mode === "image" || picture === clean) return values.join(" ");
  if (mode !== "residual") return meanError(picture.data, clean.data, i).toFixed(1);
  const signs = { signDisplay: "exceptZero" };
  const signed = (value) => value.toLocaleString("en", signs).replace("-", "\u2212");
  return values.map((value, channel) => signed(value - clean.data[i + channel])).join(" ");
}

/** Whether this browser gives back the pixels it was given: some change them against tracking. */
function readsExactly() {
  const context = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true });
  const given = new ImageData(16, 16);
  given.data.forEach((_, i) => (given.data[i] = i % 4 === 3 ? 255 : (i * 37) % 256));
  context.putImageData(given, 0, 0);
  return context.getImageData(0, 0, 16, 16).data.every((value, i) => value === given.data[i]);
}

/** Downloads a canvas as PNG, a pixel a pixel. */
function savePixels(canvas, name) {
  canvas.toBlob((blob) => {
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: `${name}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  });
}
