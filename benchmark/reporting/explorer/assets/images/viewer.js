// Shows the same part of every picture of a scene: zoom, pan and the pointed-at pixel in step.

Object.assign(defaults, { x: null, y: null, zoom: 1, split: 50 });

const FEWEST_PIXELS = 8; // of a picture's shorter side at the largest zoom
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Keeps changes in the state and the address, and draws nothing: the windows follow by themselves. */
function keep(changes) {
  Object.assign(state, changes);
  clearTimeout(writing);
  writing = setTimeout(writeHash, 150);
}

/**
 * Lets all windows inside an element look at one place of pictures of one size.
 *
 * Their pictures follow the element's CSS variables: --zoom, 1 being the whole picture, and --left,
 * --top, where the seen part begins, as fractions of the picture. `point(column, row)` hears of the
 * pixel under the pointer, `point(null)` that there is none.
 */
function lookTogether(stage, { width, height }, point) {
  stage.style.setProperty("--across", 1 / width); // of one pixel
  stage.style.setProperty("--down", 1 / height);
  const place = { x: width / 2, y: height / 2, zoom: 1 }; // middle of the seen part, in pixels
  let zoomed = null;

  function look(x, y, zoom) {
    const most = Math.max(1, Math.min(width, height) / FEWEST_PIXELS);
    place.zoom = clamp(zoom, 1, most);
    const [halfWidth, halfHeight] = [width / place.zoom / 2, height / place.zoom / 2];
    place.x = clamp(x, halfWidth, width - halfWidth);
    place.y = clamp(y, halfHeight, height - halfHeight);
    stage.style.setProperty("--zoom", place.zoom);
    stage.style.setProperty("--left", (place.x - halfWidth) / width);
    stage.style.setProperty("--top", (place.y - halfHeight) / height);
    stage.classList.toggle("zoomed", place.zoom > 1);
    if (place.zoom === zoomed) return;
    zoomed = place.zoom;
    for (const frame of stage.querySelectorAll(".window")) {
      frame.classList.toggle("pixelated", frame.clientWidth * place.zoom >= 2 * width);
    }
    for (const output of stage.querySelectorAll(".zoom")) output.value = `${place.zoom.toFixed(1)}×`;
  }

  function move(x, y, zoom) {
    look(x, y, zoom);
    const [keptX, keptY] = [place.x, place.y].map((value) => Number(value.toFixed(2)));
    const whole = place.zoom === 1;
    keep({ x: whole ? null : keptX, y: whole ? null : keptY, zoom: Number(place.zoom.toFixed(3)) });
  }

  /** The picture's point, in pixels, at fractions of a window. */
  const pointAt = ([across, down]) => [
    place.x + ((across - 0.5) * width) / place.zoom,
    place.y + ((down - 0.5) * height) / place.zoom,
  ];

  /** Zooms so that what is at fractions of a window stays there. */
  function zoomBy(factor, at = [0.5, 0.5]) {
    const [x, y] = pointAt(at);
    const most = Math.max(1, Math.min(width, height) / FEWEST_PIXELS);
    const zoom = clamp(place.zoom * factor, 1, most);
    move(x - ((at[0] - 0.5) * width) / zoom, y - ((at[1] - 0.5) * height) / zoom, zoom);
  }

  /** Moves the seen part by fractions of a window. */
  const panBy = (across, down) =>
    move(place.x + (across * width) / place.zoom, place.y + (down * height) / place.zoom, place.zoom);

  function pointTo(at) {
    const pixel = at?.every((part) => part >= 0 && part < 1) && pointAt(at).map(Math.floor);
    stage.classList.toggle("pointed", Boolean(pixel));
    if (!pixel) return point(null);
    const [column, row] = [clamp(pixel[0], 0, width - 1), clamp(pixel[1], 0, height - 1)];
    stage.style.setProperty("--column", column / width);
    stage.style.setProperty("--row", row / height);
    point(column, row);
  }

  /** Drag, pinch, double click and wheel; the wheel alone scrolls the page unless `wheel`. */
  function steer(frame, wheel) {
    const held = new Map(); // places of the pointers that are down, by id
    const at = (event) => {
      const box = frame.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    const apart = (one, other) => Math.hypot((one[0] - other[0]) * width, (one[1] - other[1]) * height);
    const release = (event) => held.delete(event.pointerId);
    frame.onpointerdown = (event) => {
      if (event.button) return;
      frame.setPointerCapture(event.pointerId);
      held.set(event.pointerId, at(event));
      pointTo(at(event));
    };
    frame.onpointermove = (event) => {
      const [now, before] = [at(event), held.get(event.pointerId)];
      const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
      if (before && other) zoomBy(apart(now, other) / Math.max(1, apart(before, other)), other);
      else if (before) panBy(before[0] - now[0], before[1] - now[1]);
      if (before) held.set(event.pointerId, now);
      pointTo(now);
    };
    frame.onpointerup = release;
    frame.onpointercancel = release;
    frame.onpointerleave = (event) => event.pointerType === "mouse" && pointTo(null);
    frame.ondblclick = (event) => zoomBy(2, at(event));
    const turn = (event) => {
      const pinched = event.ctrlKey || event.metaKey; // as a touchpad's pinch arrives
      if (!pinched && (!wheel || (place.zoom === 1 && event.deltaY > 0))) return;
      event.preventDefault();
      const lines = event.deltaMode ? 20 : 1;
      zoomBy(Math.exp(-event.deltaY * lines * (pinched ? 0.01 : 0.002)), at(event));
      pointTo(at(event));
    };
    frame.addEventListener("wheel", turn, { passive: false });
  }

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  /** Arrows, + - and 0; true where the key was one of them and did something. */
  function press(key) {
    if (key === "+" || key === "=") zoomBy(1.5);
    else if (key === "-") zoomBy(1 / 1.5);
    else if (key === "0") reset();
    else if (steps[key] && place.zoom > 1) panBy(steps[key][0] / 8, steps[key][1] / 8);
    else return false;
    pointTo([0.5, 0.5]);
    return true;
  }

  const reset = () => move(width / 2, height / 2, 1);
  const seen = () => [...pointAt([0, 0]), ...pointAt([1, 1])]; // left, top, right, bottom in pixels
  look(state.x ?? width / 2, state.y ?? height / 2, state.zoom);
  return { steer, press, zoomBy, reset, seen };
}

/** The bar between A, left of it, and B: dragged, or moved by the arrow keys. */
function divider(pane) {
  const place = (percent) => {
    const split = clamp(percent, 0, 100);
    pane.style.setProperty("--split", `${split}%`);
    handle.setAttribute("aria-valuenow", Math.round(split));
    keep({ split: Number(split.toFixed(1)) });
  };
  const handle = el("div", {
    class: "divider", role: "slider", tabindex: 0, "data-key": "split", "aria-label": "Where A ends and B begins",
    "aria-valuemin": 0, "aria-valuemax": 100,
    onpointerdown: (event) => {
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
    },
    onpointermove: (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      event.stopPropagation();
      const box = pane.getBoundingClientRect();
      place((100 * (event.clientX - box.left)) / box.width);
    },
    ondblclick: (event) => event.stopPropagation(),
    onkeydown: (event) => {
      const step = event.shiftKey ? 10 : 2;
      const to = {
        ArrowLeft: state.split - step, ArrowDown: state.split - step, Home: 0,
        ArrowRight: state.split + step, ArrowUp: state.split + step, End: 100,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      place(to);
    },
  });
  pane.append(handle);
  place(state.split);
}
