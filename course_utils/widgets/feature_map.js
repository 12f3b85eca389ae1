// A map of points; the one nearest to the mouse, or chosen by the arrow keys, shows its image.

const SIDE = 460; // pixels of the map on the screen
const MARGIN = 12;
const SHOWN = 128; // pixels of the image on the screen
const REACH = 30; // pixels: a mouse further away points at nothing

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text; // never innerHTML: names are the user's
  return element;
}

function render({ model, el }) {
  const [labels, names, colors] = ["labels", "names", "colors"].map((key) => model.get(key));
  const maps = Object.entries(model.get("maps"));
  const columns = model.get("columns");
  const root = make("div", "feature-map");
  const controls = make("div", "feature-map-controls");
  const stage = make("div", "feature-map-stage");
  const canvas = document.createElement("canvas");
  canvas.className = "feature-map-canvas";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Map of features: move the mouse over points, or press the arrow keys");
  const scale = window.devicePixelRatio || 1;
  canvas.width = canvas.height = SIDE * scale;
  canvas.style.width = canvas.style.height = `${SIDE}px`;
  const beside = make("div", "feature-map-beside");
  const picture = make("div", "feature-map-picture");
  const words = make("div", "feature-map-words", "Point at an image.");
  words.setAttribute("aria-live", "polite");
  const legend = make("div", "feature-map-legend");
  beside.append(picture, words, legend);
  stage.append(canvas, beside);
  root.append(controls, stage);
  el.append(root);

  let shown = 0; // which map
  let chosen = -1; // which point
  let only = -1; // which class stands out; none: -1
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const place = (index) => maps[shown][1][index].map((share) => MARGIN + share * (SIDE - 2 * MARGIN));

  function dot(index, radius) {
    const [x, y] = place(index);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colors[labels[index]];
    context.fill();
  }

  function draw() {
    context.clearRect(0, 0, SIDE, SIDE);
    labels.forEach((label, index) => {
      context.globalAlpha = only < 0 ? 0.75 : label === only ? 1 : 0.08;
      dot(index, 3.5);
    });
    context.globalAlpha = 1;
    if (chosen < 0) return;
    dot(chosen, 6);
    context.lineWidth = 2;
    context.strokeStyle = "#24292f";
    context.stroke();
  }

  function choose(index) {
    if (index === chosen) return;
    chosen = index;
    draw();
    if (index < 0) return;
    const column = index % columns;
    const row = Math.floor(index / columns);
    picture.style.backgroundImage = `url("${model.get("sheet")}")`;
    picture.style.backgroundSize = `${columns * SHOWN}px auto`;
    picture.style.backgroundPosition = `${-column * SHOWN}px ${-row * SHOWN}px`;
    words.textContent = names[labels[index]];
  }

  function nearest(x, y) {
    let best = -1;
    let least = REACH ** 2;
    labels.forEach((label, index) => {
      if (only >= 0 && label !== only) return;
      const [a, b] = place(index);
      const distance = (a - x) ** 2 + (b - y) ** 2;
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  function button(text, group, pressed, act) {
    const element = make("button", "feature-map-button", text);
    element.type = "button";
    element.setAttribute("aria-pressed", String(pressed));
    element.onclick = () => {
      const was = element.getAttribute("aria-pressed") === "true";
      for (const other of group.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
      element.setAttribute("aria-pressed", String(act(was)));
      draw();
    };
    group.append(element);
    return element;
  }

  maps.forEach(([name], index) => button(name, controls, index === 0, () => { shown = index; return true; }));
  names.forEach((name, label) => {
    const element = button(name, legend, false, (was) => { only = was ? -1 : label; return !was; });
    const mark = make("span", "feature-map-mark");
    mark.style.background = colors[label];
    element.prepend(mark);
  });
  canvas.addEventListener("mousemove", (event) => choose(nearest(event.offsetX, event.offsetY)));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab's own keys would leave the cell
    choose((Math.max(chosen, step < 0 ? 0 : -1) + step + labels.length) % labels.length);
  });
  draw();
}

export default { render };
