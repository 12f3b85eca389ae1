// A line to type into, and the model's answers below it; Python does the answering.

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text; // never innerHTML: the words are the user's
  return element;
}

function render({ model, el }) {
  const root = make("div", "blanks");
  const label = make("label", "blanks-label", "A sentence with [MASK] (press Enter):");
  const input = make("input", "blanks-input");
  input.type = "text";
  input.spellcheck = false;
  input.maxLength = 2000;
  input.value = model.get("sentence");
  label.append(input);
  const results = make("div", "blanks-results");
  results.setAttribute("aria-live", "polite");
  root.append(label, results);
  el.append(root);

  function send() {
    if (input.value === model.get("sentence")) return;
    model.set("sentence", input.value);
    model.save_changes();
  }

  function show() {
    results.replaceChildren();
    const problem = model.get("problem");
    if (problem) results.append(make("div", "blanks-problem", problem));
    model.get("answers").forEach((blank, place, all) => {
      const table = make("table", "blanks-table");
      if (all.length > 1) table.append(make("caption", "", `Blank ${place + 1}`));
      for (const [word, share] of blank) {
        const row = make("tr", "");
        const bar = make("td", "blanks-bar-cell");
        const fill = make("div", "blanks-bar");
        fill.style.width = `${Math.round(180 * share)}px`;
        bar.append(fill);
        row.append(make("td", "blanks-word", word), bar, make("td", "blanks-share", `${(100 * share).toFixed(1)} %`));
        table.append(row);
      }
      results.append(table);
    });
  }

  input.addEventListener("change", send);
  input.addEventListener("keydown", (event) => {
    event.stopPropagation(); // JupyterLab's own keys would act on the cell
    if (event.key === "Enter") send();
  });
  model.on("change:answers", show);
  model.on("change:problem", show);
  show();
}

export default { render };
