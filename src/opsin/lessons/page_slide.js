// Pictures that move: a window over the X, ReLU and pooling over its map, and the walk to a vote.
// Every number shown was computed in Python and stands in the page's facts; here it is only shown.

const CELL = 40; // units from one square to the next, as in page_grids.py
const signed = (text) => String(text).replace("-", "−");
const squares = (grid) => [...grid.querySelectorAll(".squares > g")];

/** Writes a number into a square; without a text the square is one that was not reached yet. */
function write(square, text, kind = "", strength = "") {
  const [back, front] = square.children;
  back.setAttribute("class", text === undefined ? "open" : kind);
  back.setAttribute("fill-opacity", strength || 1);
  front.textContent = text === undefined ? "" : signed(text);
}

const ink = (square, value) => write(square, value, value > 0 ? "ink" : "");

function tone(square, text) {
  const value = Number(text);
  write(square, text, value > 0 ? "more" : value < 0 ? "less" : "", Math.abs(value));
}

/** Moves through `count` steps: buttons, a slider, clicks and arrow keys on the map. */
class Steps {
  constructor(figure, count, columns, show) {
    Object.assign(this, { figure, count, columns, show, at: 0, timer: 0 });
    this.range = figure.querySelector("input[type=range]");
    this.range.max = count - 1;
    this.range.addEventListener("input", () => this.by(Number(this.range.value)));
    this.play = figure.querySelector("[data-go=play]");
    const moves = { first: () => 0, back: () => this.at - 1, next: () => this.at + 1, last: () => count - 1 };
    for (const [name, to] of Object.entries(moves)) {
      figure.querySelector(`[data-go=${name}]`).addEventListener("click", () => this.by(to()));
    }
    this.play.addEventListener("click", () => this.toggle());
    const map = figure.querySelector(".grid.map");
    squares(map).forEach((square, i) => square.addEventListener("click", () => this.by(i)));
    map.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const { columns } = this;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const to = { Home: 0, End: this.count - 1 }[event.key] ?? (by && this.at + by);
    if (to === undefined) return;
    event.preventDefault();
    this.by(to);
  }

  /** Goes where a person wants, which also ends playing. */
  by(step) {
    this.stop();
    this.go(step);
  }

  go(step) {
    this.at = Math.min(Math.max(step, 0), this.count - 1);
    this.range.value = this.at;
    const said = this.show(this.at);
    this.range.setAttribute("aria-valuetext", said);
    for (const [name, end] of [["first", 0], ["back", 0], ["next", this.count - 1], ["last", this.count - 1]]) {
      // Not disabled: a button that loses the focus under a finger throws keyboards off the figure.
      this.figure.querySelector(`[data-go=${name}]`).setAttribute("aria-disabled", this.at === end);
    }
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.at === this.count - 1) this.go(0);
    this.label(true);
    this.timer = setInterval(() => {
      this.go(this.at + 1);
      if (this.at === this.count - 1) this.stop();
    }, this.count > 20 ? 450 : 900);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.label(false);
  }

  label(playing) {
    this.play.textContent = playing ? "Pause" : "Play";
    this.figure.querySelector(".told").setAttribute("aria-live", playing ? "off" : "polite");
  }
}

/** The three figures of filtering, ReLU and pooling, which show one letter and one filter. */
class Slides {
  constructor(facts) {
    this.facts = facts;
    this.chosen = { letter: "X", filter: "A" };
    const figure = (name) => document.querySelector(`[data-slide=${name}]`);
    this.shows = ["filter", "relu", "pool"].map((name) => {
      const count = this.facts.X.A[name].length;
      return new Steps(figure(name), count, Math.sqrt(count), (at) => this[name](figure(name), at));
    });
    document.addEventListener("change", (event) => this.choose(event.target));
    this.refresh();
  }

  get told() {
    return this.facts[this.chosen.letter][this.chosen.filter];
  }

  choose(radio) {
    const [what, figure] = radio.name.split("-");
    if (!figure || !(what in this.chosen)) return;
    this.chosen[what] = radio.value;
    document.querySelectorAll(`input[name^=${what}-]`).forEach((each) => {
      each.checked = each.value === radio.value;
    });
    this.refresh();
  }

  refresh() {
    document.querySelectorAll("[data-slide] .which").forEach((name) => {
      name.textContent = this.chosen.filter;
    });
    this.shows.forEach((steps) => steps.by(steps.at));
  }

  filter(figure, at) {
    const grid = (name) => squares(figure.querySelector(`.grid.${name}`));
    const { picture } = this.facts[this.chosen.letter];
    const { kernel, filter: places } = this.told;
    const place = places[at];
    grid("picture").forEach((square, i) => ink(square, picture[i]));
    grid("kernel").forEach((square, i) => ink(square, kernel[i]));
    grid("seen").forEach((square, i) => ink(square, place.seen[i]));
    grid("products").forEach((square, i) => tone(square, place.products[i]));
    frame(figure.querySelector(".picture .window"), place.at);
    fill(figure, places, at);
    const agree = place.products.filter((n) => n > 0).length;
    say(figure, ".sum", place.products.map((n, i) => (i ? (n < 0 ? " − 1" : " + 1") : signed(n))).join(""));
    say(figure, ".total", signed(place.total));
    say(figure, ".value", signed(place.value));
    return say(figure, ".told", `${where(at, 7)}: ${agree} of 9 agree. ${signed(place.total)} ÷ 9 = ${signed(place.value)}`);
  }

  relu(figure, at) {
    const places = this.told.relu;
    const { seen, value } = places[at];
    this.source(figure, places.map((place) => place.seen[0]), places[at].at);
    fill(figure, places, at);
    say(figure, ".rule", Number(seen[0]) < 0 ? "is below zero" : "is not below zero");
    this.small(figure, seen, 1);
    say(figure, ".value", signed(value));
    return say(figure, ".told", `${where(at, 7)}: ${signed(seen[0])} becomes ${signed(value)}`);
  }

  pool(figure, at) {
    const places = this.told.pool;
    const { seen, wide, value } = places[at];
    this.source(figure, this.told.relu.map((place) => place.value), places[at].at);
    fill(figure, places, at);
    this.small(figure, seen, wide);
    say(figure, ".value", signed(value));
    const edge = seen.length < 4 ? "the window hangs over the edge; " : "";
    const found = seen.length > 1 ? `the largest of ${seen.join(", ")} is ${value}` : `${value} is all there is`;
    return say(figure, ".told", `${where(at, 4)}: ${edge}${found}`);
  }

  source(figure, texts, corner) {
    squares(figure.querySelector(".grid.source")).forEach((square, i) => tone(square, texts[i]));
    frame(figure.querySelector(".source .window"), corner);
  }

  /** Shows what is under a small window, of which the edge may leave less than all. */
  small(figure, seen, wide) {
    const all = squares(figure.querySelector(".grid.seen"));
    const columns = Math.sqrt(all.length);
    all.forEach((square, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const text = column < wide ? seen[row * wide + column] : undefined;
      if (text === undefined) write(square);
      else tone(square, text);
    });
  }
}

const where = (at, columns) => `Row ${Math.floor(at / columns) + 1}, column ${(at % columns) + 1}`;

function say(figure, name, text) {
  figure.querySelector(name).textContent = text;
  return text;
}

function frame(box, [top, left]) {
  box.setAttribute("transform", `translate(${left * CELL} ${top * CELL})`);
}

/** Fills a map up to one place, and marks that. */
function fill(figure, places, at) {
  squares(figure.querySelector(".grid.map")).forEach((square, i) => {
    if (i <= at) tone(square, places[i].value);
    else write(square);
    square.classList.toggle("here", i === at);
  });
}

/** The walk of one picture to its votes. */
function walk(figure, walks) {
  const show = (name) => {
    const found = walks[name];
    squares(figure.querySelector(".grid.picture")).forEach((square, i) => ink(square, found.picture[i]));
    [...figure.querySelectorAll(".way")].forEach((way, filter) => {
      squares(way.querySelector(".grid.whole")).forEach((square, i) => tone(square, found.maps[filter][i]));
      squares(way.querySelector(".grid.final")).forEach((square, i) => tone(square, found.final[filter][i]));
    });
    for (const [letter, vote] of Object.entries(found.votes)) {
      const row = figure.querySelector(`[data-letter=${letter}]`);
      row.querySelector(".fill").setAttribute("width", 100 * vote);
      row.querySelector(".printed").textContent = found.printed[letter];
      row.classList.toggle("wins", letter === found.says);
    }
    const right = found.says === found.letter;
    const verdict = figure.querySelector(".verdict");
    verdict.textContent = `The net says ${found.says}. ${right ? "Right." : `Wrong: it is an ${found.letter}.`}`;
    verdict.classList.toggle("wrong", !right);
  };
  figure.addEventListener("change", (event) => show(event.target.value));
  show(figure.querySelector("input:checked").value);
}
