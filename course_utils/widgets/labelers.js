// Shows images one after the other, times the answers here (a slow kernel must not count), and sends them to Python.

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text; // never innerHTML: names are the user's
  return element;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function render({ model, el }) {
  const pictures = model.get("pictures");
  const side = model.get("side");
  const root = make("div", "labeler");
  root.tabIndex = 0;
  const status = make("div", "labeler-status");
  status.setAttribute("aria-live", "polite");
  const stage = make("div", "labeler-stage");
  const controls = make("div", "labeler-controls");
  root.append(status, stage, controls);
  el.append(root);

  let index = -1;
  let shownAt = 0;
  const answers = [];

  function answer(what) {
    answers.push([index, (performance.now() - shownAt) / 1000, what]);
    model.set("answers", answers.slice());
    model.save_changes();
    show(index + 1);
  }

  function show(next) {
    index = next;
    stage.replaceChildren();
    if (index >= pictures.length) {
      const seconds = median(answers.map((entry) => entry[1])).toFixed(1);
      status.textContent = `Done: ${answers.length} labels, ${seconds} s each (median). Now run the next cell.`;
      controls.replaceChildren(startButton("Label them again"));
      return;
    }
    status.textContent = `Image ${index + 1} of ${pictures.length}`;
    task.show(pictures[index], stage, answer);
    shownAt = performance.now();
  }

  function startButton(words) {
    const button = make("button", "labeler-button labeler-start", words);
    button.onclick = () => {
      answers.length = 0;
      controls.replaceChildren(...task.controls(answer));
      root.focus();
      show(0);
    };
    return button;
  }

  const task = model.get("mode") === "class" ? classTask(model, side, root) : boxTask(model, side, root);
  status.textContent = `${task.instruction} The clock starts when you press the button.`;
  controls.append(startButton("Start"));
}

function enlarged(url, side, alt) {
  const image = make("img", "labeler-image");
  image.src = url;
  image.alt = alt;
  image.width = side;
  image.draggable = false;
  return image;
}

function classTask(model, side, root) {
  const names = model.get("names");
  const keyOf = (place) => (place < 9 ? String(place + 1) : place === 9 ? "0" : "");
  let buttons = [];
  root.addEventListener("keydown", (event) => {
    const button = buttons[names.findIndex((_, place) => keyOf(place) !== "" && keyOf(place) === event.key)];
    if (button && button.isConnected) {
      event.preventDefault();
      event.stopPropagation(); // JupyterLab has shortcuts of its own
      button.click();
    }
  });
  return {
    instruction: "Name what each image shows, with the buttons or the keys 1 to 9 and 0.",
    show: (url, stage) => stage.append(enlarged(url, side, "the image to label")),
    controls: (answer) => {
      buttons = names.map((name, place) => {
        const button = make("button", "labeler-button");
        if (keyOf(place)) button.append(make("kbd", "labeler-key", keyOf(place)));
        button.append(make("span", "", name));
        button.onclick = () => {
          answer(place);
          root.focus();
        };
        return button;
      });
      return buttons;
    },
  };
}

function boxTask(model, side, root) {
  const [width, height] = model.get("size");
  const scale = side / width;
  let box = null;
  let next = null;
  return {
    instruction: "Drag a tight box around the object in each image, then press Next; drag again to correct it.",
    show: (url, stage) => {
      box = null;
      next.disabled = true;
      const frame = make("div", "labeler-frame");
      const outline = make("div", "labeler-box");
      outline.hidden = true;
      frame.append(enlarged(url, side, "draw a box on this image"), outline);
      stage.append(frame);
      let start = null;
      const place = (event) => {
        const corner = frame.getBoundingClientRect();
        const limit = (value, most) => Math.min(Math.max(value, 0), most);
        return [
          limit((event.clientX - corner.left) / scale, width),
          limit((event.clientY - corner.top) / scale, height),
        ];
      };
      frame.onpointerdown = (event) => {
        event.preventDefault();
        frame.setPointerCapture(event.pointerId);
        start = place(event);
      };
      frame.onpointermove = (event) => {
        if (!start) return;
        const [x, y] = place(event);
        box = [Math.min(x, start[0]), Math.min(y, start[1]), Math.max(x, start[0]), Math.max(y, start[1])];
        outline.hidden = false;
        outline.style.left = `${box[0] * scale}px`;
        outline.style.top = `${box[1] * scale}px`;
        outline.style.width = `${(box[2] - box[0]) * scale}px`;
        outline.style.height = `${(box[3] - box[1]) * scale}px`;
      };
      frame.onpointerup = () => {
        start = null;
        next.disabled = !box || box[2] - box[0] < 1 || box[3] - box[1] < 1;
      };
    },
    controls: (answer) => {
      next = make("button", "labeler-button labeler-start", "Next");
      next.onclick = () => {
        answer(box);
        root.focus();
      };
      return [next];
    },
  };
}

export default { render };
