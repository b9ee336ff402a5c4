// Each way of coloring is a list of numbers in [0, 1] and a color scale; grey for what is missing.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const theme = () => data.themes[dark.matches ? "dark" : "light"];

function coloring() {
  const column = data.columns.find((one) => one.name === state.color);
  if (!column) return byCell();
  return column.kind === "category" ? byCategory(column.codes, column.names, column.sizes) : byNumber(column);
}

function byCell() {
  if (!data.levels.length) return byCategory(new Int32Array(count), [""], [count]);
  const { cells, labels } = data.levels[0];
  return byCategory(cells, labels.map((label) => label.text || "–"), labels.map((label) => label.size), true);
}

// Names come the most frequent first; those past the palette share one color ("other").
// Cells are named on the map itself, so they may take the palette's colors in turn.
function byCategory(codes, names, sizes, turns = false) {
  const { categories, other, missing } = theme();
  const own = turns ? names.length : Math.min(names.length, categories.length);
  const colors = Array.from({ length: own }, (_, i) => categories[i % categories.length]);
  colors.push(other, missing);
  const numbers = Array.from(codes, (code) => ((code < 0 ? own + 1 : Math.min(code, own)) + 0.5) / colors.length);
  const scale = colors.flatMap((color, i) => [[i / colors.length, color], [(i + 1) / colors.length, color]]);
  const entries = names.slice(0, own).map((name, i) => ({ name, size: sizes[i], color: colors[i], value: name, has: (j) => codes[j] === i }));
  const rest = sizes.slice(own).reduce((sum, size) => sum + size, 0);
  if (rest) entries.push({ name: `other (${whole.format(names.length - own)} values)`, size: rest, color: other, value: "other", has: (j) => codes[j] >= own });
  const gaps = count - rest - sizes.slice(0, own).reduce((sum, size) => sum + size, 0);
  if (gaps) entries.push({ name: data.missing, size: gaps, color: missing, value: "missing", has: (j) => codes[j] < 0 });
  return { numbers, scale, entries: names.length > 1 || gaps ? entries.filter((entry) => entry.size) : [] };
}

// The lower half of the scale is the color of missing values, the upper half the numbers' own.
function byNumber(column) {
  const { scale: stops, missing } = theme();
  const { low, high, values } = column;
  const span = high - low || 1;
  const numbers = values.map((value) => value === null ? 0 : 0.5 + 0.5 * Math.min(1, Math.max(0, (value - low) / span)));
  const scale = [[0, missing], [0.49, missing], ...stops.map((stop, i) => [0.5 + 0.5 * i / (stops.length - 1), stop])];
  const gaps = values.filter((value) => value === null).length;
  const entries = gaps ? [{ name: data.missing, size: gaps, color: missing, value: "missing", has: (j) => values[j] === null }] : [];
  return { numbers, scale, entries, bar: { column, stops } };
}

let painted = null;

function drawLegend() {
  const rows = painted.entries.map(legendEntry);
  if (painted.bar) rows.unshift(legendScale(painted.bar));
  element("legend").replaceChildren(...rows);
}

function legendEntry(entry) {
  const button = make("button");
  const swatch = make("span", "", "swatch");
  swatch.style.background = entry.color;
  button.type = "button";
  button.setAttribute("aria-pressed", String(state.value === entry.value));
  button.append(swatch, make("span", entry.name), make("span", whole.format(entry.size), "count"));
  button.addEventListener("click", () => change({ value: state.value === entry.value ? "" : entry.value }));
  const row = make("li");
  row.append(button);
  return row;
}

function legendScale({ column, stops }) {
  const row = make("li", undefined, "scale");
  const bar = make("div", "", "bar");
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const ends = make("div", undefined, "ends");
  ends.append(make("span", (column.cutLow ? "≤ " : "") + shown(column, column.low)), make("span", (column.cutHigh ? "≥ " : "") + shown(column, column.high)));
  row.append(bar, ends);
  return row;
}
