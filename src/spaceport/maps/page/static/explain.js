// Said where the map should be when it cannot be drawn.
function explain(error) {
  const warning = document.getElementById("warning");
  warning.textContent = `The map could not be drawn: ${error.message}. A browser of 2023 or later is needed.`;
  warning.hidden = false;
}
