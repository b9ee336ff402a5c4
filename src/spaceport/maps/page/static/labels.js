// The cells' labels: coarse ones first, finer ones as one zooms in; large cells win where two overlap.
const labelLayers = data.levels.map((level, depth) => {
  const shownLabels = level.labels.filter((label) => label.text && label.size);
  shownLabels.sort((a, b) => b.size - a.size);
  return shownLabels.map((label) => {
    const box = make("div", label.text);
    box.style.fontSize = `${depth === 0 ? 15 : 12.5}px`;
    box.style.visibility = "hidden";
    element("labels").append(box);
    return { ...label, box, wide: 0, tall: 0 };
  });
});

const depthNow = () => Math.max(0, Math.min(labelLayers.length - 1, Math.floor(Math.log(magnification()) / Math.log(1.9) + 0.01)));

function placeLabels() {
  const depth = depthNow();
  labelLayers.forEach((layer, i) => { if (i !== depth) for (const label of layer) label.box.style.visibility = "hidden"; });
  const taken = [];
  for (const label of labelLayers[depth] || []) {
    if (!label.wide) { label.wide = label.box.offsetWidth; label.tall = label.box.offsetHeight; }
    const [x, y] = toScreen(label.x, label.y);
    const left = Math.min(Math.max(x - label.wide / 2, 4), Math.max(4, width() - label.wide - 4));
    const spot = { left, top: y - label.tall / 2, right: left + label.wide, bottom: y + label.tall / 2 };
    const inside = x > 0 && y > 0 && x < width() && y < height();
    const free = inside && !taken.some((other) => spot.left < other.right + 8 && other.left < spot.right + 8 && spot.top < other.bottom + 3 && other.top < spot.bottom + 3);
    label.box.style.visibility = free ? "visible" : "hidden";
    if (!free) continue;
    taken.push(spot);
    label.box.style.transform = `translate(${spot.left}px, ${spot.top}px)`;
  }
  document.body.dataset.level = String(depth);
}

listeners.push(placeLabels);
