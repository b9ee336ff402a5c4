// From the state to the page, and from the page's controls back to the state.
function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  state.search = asked.get("search") ?? "";
  state.color = asked.get("color") ?? data.color;
  state.value = asked.get("value") ?? "";
}

function write() {
  const told = Object.entries(state).filter(([name, value]) => value !== (name === "color" ? data.color : ""));
  const hash = new URLSearchParams(told).toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
}

// Brings legend, results and the body's attributes up to date, and gives the style of the points.
function refresh() {
  painted = coloring();
  matches = find();
  drawLegend();
  report();
  Object.assign(document.body.dataset, { matches: matches ? matches.length : count, color: state.color, value: state.value });
  return {
    color: stride === 1 ? painted.numbers : Array.from(drawn, (i) => painted.numbers[i]),
    colorscale: painted.scale,
    selected: selectedRows(),
    faded: dark.matches ? 0.1 : 0.07,
  };
}

const draw = () => restyle(refresh());

function change(part) {
  if ("color" in part) state.value = "";
  Object.assign(state, part);
  write();
  return draw();
}

function fillControls() {
  const choices = [["", data.levels.length ? "Cells" : "Nothing"], ...data.columns.filter((column) => column.colors).map(({ name }) => [name, name])];
  element("color").replaceChildren(...choices.map(([value, name]) => Object.assign(make("option", name), { value })));
  const shownNow = () => {
    element("search").value = state.search;
    element("color").value = state.color;
  };
  shownNow();
  window.addEventListener("hashchange", () => { read(); shownNow(); draw(); });
  element("color").addEventListener("change", (event) => change({ color: event.target.value }));
  let waiting = 0;
  element("search").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ search: event.target.value }), 120);
  });
  element("search").addEventListener("keydown", async (event) => {
    if (event.key === "Escape") { event.target.value = ""; await change({ search: "" }); }
    if (event.key !== "Enter") return;
    clearTimeout(waiting);
    await change({ search: event.target.value });
    await showRows(matches || []);
  });
}

function fillCard() {
  const facts = data.card.flatMap(([fact, value]) => [make("dt", fact), make("dd", value)]);
  element("card").replaceChildren(...facts);
  element("facts").append(...data.notes.map((note) => make("p", note, "note")));
  element("facts").hidden = !facts.length && !data.notes.length;
  element("fold").hidden = !facts.length;
  element("fold").open = window.innerWidth > 760;
}

async function start() {
  read();
  fillControls();
  fillCard();
  lookAtAll();
  await Plotly.newPlot(plot, [trace(refresh())], layout(), { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false });
  listen();
  listenToPoints();
  for (const listener of listeners) listener();
  dark.addEventListener("change", draw);
  if (stride > 1) {
    element("warning").textContent = `This browser has no WebGL: ${whole.format(drawn.length)} of ${whole.format(count)} items are drawn; search reads all.`;
    element("warning").hidden = false;
  }
  Object.assign(document.body.dataset, { points: drawn.length, renderer: webgl ? "webgl" : "svg", ready: "true" });
}

await start();
