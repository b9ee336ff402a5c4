// Items that hold every word of the search (in id or text), and the picked value of the legend.
const resultLimit = 40;
let folded = null;
let matches = null;  // null: nothing is picked out, all items count alike

const fold = (text) => text.normalize("NFC").toLowerCase();

function find() {
  const words = fold(state.search).split(/\s+/).filter(Boolean);
  const entry = painted.entries.find((one) => one.value === state.value);
  if (!words.length && !entry) return null;
  if (words.length && !folded) folded = data.ids.map((id, i) => fold(`${id}\n${data.texts[i]}`));
  const found = [];
  for (let i = 0; i < count; i++) {
    if ((!entry || entry.has(i)) && words.every((word) => folded[i].includes(word))) found.push(i);
  }
  return found;
}

function report() {
  const total = `${whole.format(count)} item${count === 1 ? "" : "s"}`;
  element("found").textContent = matches ? `${whole.format(matches.length)} of ${total}` : total;
  const rows = state.search.trim() ? matches.slice(0, resultLimit).map(result) : [];
  element("results").replaceChildren(...rows);
}

function result(i) {
  const button = make("button");
  button.type = "button";
  button.append(picture(i) ?? "", make("b", data.ids[i]), make("span", data.texts[i] === data.ids[i] ? "" : data.texts[i]));
  button.addEventListener("click", () => {
    tell(i);
    pinned = true;
    move(xs[i], ys[i], Math.min(unit(), home.unit / 4));
  });
  const row = make("li");
  row.append(button);
  return row;
}

// The rows of the plot that are picked out; null: all alike.
function selectedRows() {
  if (!matches) return null;
  const picked = new Set(matches);
  return [...drawn.keys()].filter((row) => picked.has(drawn[row]));
}
