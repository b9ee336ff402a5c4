// What the page shows, read from the block of compressed JSON; nothing in it is ever used as HTML.
const element = (id) => document.getElementById(id);

function decode(text, Type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(bytes.buffer);
}

function make(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const packed = decode(element("data").textContent, Uint8Array);
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const data = await new Response(unpacked).json();
const count = data.ids.length;
const xs = new Float64Array(count);
const ys = new Float64Array(count);
{
  const steps = decode(data.positions, Uint16Array);
  const { left, bottom, step } = data.frame;
  for (let i = 0; i < count; i++) {
    xs[i] = left + steps[2 * i] * step;
    ys[i] = bottom + steps[2 * i + 1] * step;
  }
}
for (const level of data.levels) level.cells = decode(level.cells, Int32Array);
for (const column of data.columns) {
  if (column.kind === "category") column.codes = decode(column.codes, Int32Array);
}

const whole = new Intl.NumberFormat();
const decimal = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 5, useGrouping: false });

function shown(column, value) {
  if (column.kind === "date") return new Date(value).toISOString().replace(/T00:00.*|\.\d*Z$/, "").replace("T", " ");
  return Number.isInteger(value) ? String(value) : decimal.format(value);
}

// The value of an item as text, or "" where it is missing.
function told(column, i) {
  if (column.kind === "category") return column.codes[i] < 0 ? "" : column.names[column.codes[i]];
  return column.values[i] === null ? "" : shown(column, column.values[i]);
}

// A small picture of an item, or null. Its address holds the picture itself: nothing is asked for.
function picture(i) {
  const address = data.pictures[i];
  return address ? Object.assign(make("img"), { src: address, alt: "" }) : null;
}

// State that people share by the address: what is searched, colored and picked out.
const state = { search: "", color: data.color, value: "" };
