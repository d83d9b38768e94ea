for (const field of document.querySelectorAll("input.filter")) {
  const body = field.closest("section").querySelector("tbody");
  let waiting = 0;
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  };
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 120); });
  field.closest("p").hidden = false;
}
