// The box beside the pointer, and the ring around the item that it tells of.
const hover = element("hover");
const ring = element("ring");
let ringed = -1;
let pinned = false;

function tell(i) {
  ringed = i;
  hover.replaceChildren(...[picture(i), make("b", data.ids[i])].filter(Boolean));
  if (data.texts[i] && data.texts[i] !== data.ids[i]) hover.append(make("p", data.texts[i]));
  const facts = data.columns.map((column) => [column.name, told(column, i)]).filter(([, value]) => value !== "");
  const finest = data.levels.at(-1);
  if (finest && finest.labels[finest.cells[i]].text) facts.push(["cell", finest.labels[finest.cells[i]].text]);
  if (facts.length) hover.append(make("p", facts.map(([name, value]) => `${name}: ${value}`).join("\n"), "soft"));
  placeRing();
}

function placeRing() {
  const gone = ringed < 0;
  hover.hidden = gone;
  const [x, y] = gone ? [-1, -1] : toScreen(xs[ringed], ys[ringed]);
  ring.hidden = gone || x < 0 || y < 0 || x > width() || y > height();
  if (gone) return;
  ring.style.transform = `translate(${x}px, ${y}px)`;
  const right = x + 16 + hover.offsetWidth < width();
  const left = right ? x + 16 : x - 16 - hover.offsetWidth;
  hover.style.left = `${Math.max(8, Math.min(left, width() - hover.offsetWidth - 8))}px`;
  hover.style.top = `${Math.max(8, Math.min(y + 14, height() - hover.offsetHeight - 8))}px`;
}

function forget() {
  ringed = -1;
  pinned = false;
  placeRing();
}

function listenToPoints() {
  const item = (event) => drawn[event.points[0].pointIndex];
  plot.on("plotly_hover", (event) => { if (!pinned) tell(item(event)); });
  plot.on("plotly_unhover", () => { if (!pinned) forget(); });
  plot.on("plotly_click", (event) => {
    const again = pinned && ringed === item(event);
    forget();
    if (!again) { tell(item(event)); pinned = true; }
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") forget(); });
}

listeners.push(placeRing);
