// The table that sorts, the tree that shows descent, and the kernel one looks at closely.

/** Sorts a table by the column whose head is clicked; once more turns it over. */
function sortable(table) {
  const heads = [...table.querySelectorAll("thead th")];
  const body = table.tBodies[0];
  const plain = new Intl.Collator("en", { numeric: true });
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.children[column].dataset.value;
      const compare = head.classList.contains("n")
        ? (a, b) => Number(key(a)) - Number(key(b))
        : (a, b) => plain.compare(key(a), key(b));
      const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * compare(a, b));
      body.append(...rows);
    });
  });
}

/** Shows where a family comes from and what came of it, while it is pointed at or has the focus. */
function descent(tree) {
  const lines = [...tree.querySelectorAll(".descent")];
  const families = [...tree.querySelectorAll(".family")];
  const follow = (from, to, start) => {
    const found = new Set([start]);
    for (const each of found) {
      lines.filter((line) => line.dataset[from] === each).forEach((line) => found.add(line.dataset[to]));
    }
    return found;
  };
  const show = (family) => {
    tree.classList.toggle("asked", Boolean(family));
    const start = family?.dataset.family;
    const before = family ? follow("to", "from", start) : new Set();
    const after = family ? follow("from", "to", start) : new Set();
    const kept = (set, line) => set.has(line.dataset.from) && set.has(line.dataset.to);
    lines.forEach((line) => line.classList.toggle("kin", kept(before, line) || kept(after, line)));
    families.forEach((each) => {
      const name = each.dataset.family;
      each.classList.toggle("kin", before.has(name) || after.has(name));
    });
  };
  families.forEach((family) => {
    family.addEventListener("pointerenter", () => show(family));
    family.addEventListener("pointerleave", () => show(null));
    family.addEventListener("focusin", () => show(family));
    family.addEventListener("focusout", () => show(null));
  });
}

/** Shows one kernel of the plate large: the picture before, its numbers, the picture after. */
function closely(figure, plate) {
  const buttons = [...plate.querySelectorAll("button")];
  const cardOf = (name) => plate.querySelector(`[data-kernel=${name}]`).closest("li");
  const copy = (image, card) => {
    const { src, alt } = card.querySelector("img");
    Object.assign(figure.querySelector(image), { src, alt });
  };
  const show = (button) => {
    const card = button.closest("li");
    copy(".after", card);
    figure.querySelector(".matrix").replaceWith(card.querySelector(".matrix").cloneNode(true));
    figure.querySelector(".name").textContent = button.dataset.kernel;
    figure.querySelector(".does").textContent = card.querySelector(".words span").textContent;
    buttons.forEach((each) => each.setAttribute("aria-pressed", each === button));
  };
  buttons.forEach((button) => button.addEventListener("click", () => show(button)));
  copy(".before", cardOf("identity"));
  show(plate.querySelector("[aria-pressed=true]"));
}

const facts = JSON.parse(document.getElementById("facts").textContent);
document.documentElement.classList.add("scripted");
const slides = new Slides(facts.steps);
walk(document.querySelector(".walk"), facts.walks);
new Calculator(document.getElementById("calculator"), facts.examples, facts.layers);
sortable(document.querySelector("table.nets"));
descent(document.querySelector("svg.tree"));
closely(document.querySelector(".closely"), document.querySelector(".plate"));

// On paper nothing moves: maps are shown whole, and questions with their answers.
let before = [];
addEventListener("beforeprint", () => {
  before = slides.shows.map((steps) => steps.at);
  slides.shows.forEach((steps) => steps.by(steps.count - 1));
});
addEventListener("afterprint", () => slides.shows.forEach((steps, i) => steps.by(before[i])));
