// The calculator: reads its fields, asks page_arithmetic.js, says what comes out and draws one axis.

const shown = (number) => number.toLocaleString("en-US");

/** A number a person typed; "" and what is too large never reach the arithmetic. */
function typed(input) {
  const value = input.valueAsNumber;
  if (Number.isNaN(value)) throw new SizeError(`no number for ${input.name}`, "a whole number");
  if (value > Number(input.max)) {
    throw new SizeError(`${input.name} ${value}`, `at most ${shown(Number(input.max))}`);
  }
  return value;
}

function readLayer(item) {
  const named = (name) => item.querySelector(`[name=${name}]`);
  const padding = named("padding").value;
  const kind = named("kind").value;
  return {
    kind,
    kernel: typed(named("kernel")),
    stride: typed(named("stride")),
    padding: padding === "number" ? typed(named("pixels")) : padding,
    dilation: typed(named("dilation")),
    filters: kind === "pooling" ? 0 : typed(named("filters")),
    extra: kind === "transposed" ? typed(named("extra")) : 0,
    ceil: named("ceil").checked,
  };
}

/** Hides the fields that mean nothing for a layer as it is set. */
function fitFields(item) {
  const kind = item.querySelector("[name=kind]").value;
  const show = (name, on) => (item.querySelector(`.field.${name}`).hidden = !on);
  show("pixels", item.querySelector("[name=padding]").value === "number");
  show("filters", kind !== "pooling");
  show("extra", kind === "transposed");
  show("ceil", kind === "pooling");
}

function tell(within, result) {
  const say = (name, text) => (within.querySelector(`.${name}`).textContent = text);
  if (!result) {
    for (const name of ["size", "parameters", "madds", "sees"]) say(name, "–");
    return;
  }
  say("size", [...result.size, result.depth].map(shown).join(" × "));
  say("parameters", shown(result.parameters));
  say("madds", shown(result.madds));
  const side = result.field && shown(result.field.size);
  say("sees", side ? `${side} × ${side} pixels, in steps of ${shown(result.field.stride)}` : "not the same everywhere");
}

class Calculator {
  constructor(root, examples, most) {
    Object.assign(this, { root, examples, most, chosen: 0 });
    this.list = root.querySelector(".layers");
    this.template = root.querySelector("template");
    this.example = root.querySelector("[name=example]");
    this.example.addEventListener("change", () => this.load(this.example.value));
    root.addEventListener("input", (event) => this.changed(event.target));
    root.addEventListener("focusin", (event) => this.choose(event.target.closest(".layer")));
    root.addEventListener("click", (event) => this.clicked(event.target));
    this.load(this.example.value);
  }

  get items() {
    return [...this.list.children];
  }

  load(name) {
    const { about, picture, layers } = this.examples[name];
    this.root.querySelector(".about").textContent = about;
    ["height", "width", "depth"].forEach((side, i) => {
      this.root.querySelector(`.picture [name=${side}]`).value = picture[i];
    });
    this.list.replaceChildren();
    layers.forEach((layer) => this.add(layer));
    this.chosen = 0;
    this.compute();
  }

  add(layer) {
    const item = this.template.content.firstElementChild.cloneNode(true);
    for (const [name, value] of Object.entries(layer)) {
      const field = item.querySelector(`[name=${name}]`);
      if (field.type === "checkbox") field.checked = value;
      else field.value = value;
    }
    this.list.append(item);
  }

  changed(field) {
    if (field === this.example) return;
    this.choose(field.closest(".layer"));
    this.compute();
  }

  choose(item) {
    const at = this.items.indexOf(item);
    if (at < 0 || at === this.chosen) return;
    this.chosen = at;
    this.compute();
  }

  clicked(button) {
    if (button.name === "remove") {
      const item = button.closest(".layer");
      const next = item.nextElementSibling || item.previousElementSibling;
      item.remove();
      (next ? next.querySelector("[name=kernel]") : this.root.querySelector("[name=add]")).focus();
    } else if (button.name === "add") {
      const usual = { kind: "convolution", kernel: 3, stride: 1, padding: "same", pixels: 1 };
      this.add({ ...usual, dilation: 1, filters: 16, extra: 0, ceil: false });
      this.list.lastElementChild.querySelector("[name=kind]").focus();
    } else return;
    this.chosen = Math.min(this.chosen, this.items.length - 1);
    this.compute();
  }

  compute() {
    this.root.querySelector("[name=add]").disabled = this.items.length >= this.most;
    let came = null;
    let wrong = "";
    try {
      const [height, width, depth] = ["height", "width", "depth"].map((side) =>
        typed(this.root.querySelector(`.picture [name=${side}]`)),
      );
      checkSize([height, width]);
      came = { size: [height, width], depth, field: { size: 1n, stride: 1n } };
    } catch (error) {
      if (!(error instanceof SizeError)) throw error;
      wrong = error.message;
    }
    const totals = came && { ...came, parameters: 0n, madds: 0n };
    this.drawAxis(null);
    this.items.forEach((item, at) => {
      fitFields(item);
      item.querySelector("legend").textContent = `Layer ${at + 1}`;
      item.classList.toggle("chosen", at === this.chosen);
      const before = came;
      [came, wrong] = this.layer(item, came, wrong);
      if (came) {
        totals.parameters += came.parameters;
        totals.madds += came.madds;
        if (at === this.chosen) this.drawAxis(at, readLayer(item), before.size[0], came.size[0]);
      }
    });
    tell(this.root.querySelector(".totals"), came && { ...totals, ...pick(came) });
  }

  /** Says what one layer makes of what came, and returns it, with what is wrong from here on. */
  layer(item, came, wrong) {
    let result = null;
    let said = came ? "" : wrong;
    let state = "";
    if (came) {
      try {
        result = throughLayer(readLayer(item), came);
        said = result.said.join("\n");
        state = said ? "uneven" : "";
      } catch (error) {
        if (!(error instanceof SizeError)) throw error;
        said = wrong = error.message;
        state = "wrong";
      }
    }
    item.dataset.state = state;
    item.querySelector(".said").textContent = state || item === this.items[0] ? said : "";
    tell(item, result);
    return [result, wrong];
  }

  drawAxis(at, layer, before, after) {
    const figure = this.root.querySelector(".axis");
    figure.hidden = at === null;
    if (figure.hidden) return;
    const axis = layer.kind === "transposed" ? spread(layer, before, after) : slid(layer, before, after);
    const cut = axis.last - axis.first >= MOST_CELLS ? `; only the last ${MOST_CELLS} are drawn` : "";
    const words = `Layer ${at + 1} along the height: ${axis.caption}${cut}`;
    figure.querySelector("figcaption").textContent = words;
    const wide = figure.querySelector(".wide");
    wide.replaceChildren(drawn(axis, words));
    // Later, for it makes the browser lay out the page.
    requestAnimationFrame(() => (wide.scrollLeft = axis.unseen ? wide.scrollWidth : 0));
  }
}

const pick = ({ size, depth, field }) => ({ size, depth, field });

// ── one axis, drawn ─────────────────────────────────────────────────────────────────────────────

const MOST_CELLS = 42;
const MOST_ROWS = 9;

/** Cells from `first` to `last` and the windows on them, of a window that slides over n pixels. */
function slid(layer, n, count) {
  const window = { ...layer, ceil: layer.kind === "pooling" && layer.ceil };
  const [before, after] = ends(window, n);
  const end = (count - 1) * window.stride - before + spanOf(window); // after the last window
  const kind = (at) => (at >= end ? "unseen" : at < 0 || at >= n ? "padding" : "pixel");
  const last = Math.max(n + after, end) - 1;
  const unseen = Math.max(0, n - Math.max(end, 0));
  const caption =
    `${shown(n)} ${n > 1 ? "pixels" : "pixel"} become ${shown(count)}` +
    (before + after ? `, with ${before} before and ${after} after them` : "") +
    (unseen ? `; ${shown(unseen)} at the end ${unseen > 1 ? "are" : "is"} not seen` : "");
  return { window, first: -before, last, start: -before, count, kind, unseen, caption };
}

/** The same for a transposed convolution: each of n pixels spreads over a window of what comes out. */
function spread(window, n, size) {
  const cut = window.padding === "same" ? ends(window, n * window.stride)[0] : ends(window, n)[0];
  const last = Math.max((n - 1) * window.stride + spanOf(window), cut + size) - 1;
  const kind = (at) => (at < cut || at >= cut + size ? "padding" : "pixel");
  const caption = `each of ${shown(n)} is spread over a window, which gives ${shown(size)}`;
  return { window, first: 0, last, start: 0, count: n, kind, unseen: 0, caption };
}

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, inside = []) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

/** A long axis is drawn from its end, where it shows whether it comes out even. */
function drawn({ window, first, last, start, count, kind }, words) {
  const from = Math.max(first, last - MOST_CELLS + 1);
  const x = (at) => (at - from) * 20;
  const parts = [];
  for (let at = from; at <= last; at++) {
    parts.push(element("rect", { class: `cell ${kind(at)}`, x: x(at) + 1, y: 1, width: 18, height: 18 }));
  }
  const places = [];
  for (let i = Math.max(0, count - MOST_CELLS); i < count; i++) {
    if (start + i * window.stride >= from) places.push(i);
  }
  const rows = Math.min(places.length, Math.ceil((spanOf(window) + 1) / window.stride));
  const few = rows > MOST_ROWS ? [...new Set([...places.slice(0, 3), ...places.slice(-3)])] : places;
  few.forEach((place, order) => {
    const y = 32 + 12 * (order % Math.min(rows, few.length));
    const left = start + place * window.stride;
    parts.push(element("path", { class: "reach", d: `M${x(left) + 10} ${y}H${x(left + spanOf(window) - 1) + 10}` }));
    for (let k = 0; k < window.kernel; k++) {
      parts.push(element("circle", { class: "touch", cx: x(left + k * window.dilation) + 10, cy: y, r: 3 }));
    }
  });
  const high = 32 + 12 * Math.max(1, Math.min(rows, few.length));
  const box = `0 0 ${Math.max(x(last) + 20, 200)} ${high}`;
  const drawing = element("svg", { class: "strip", viewBox: box, role: "img", "aria-label": words }, parts);
  drawing.style.width = `${(x(last) + 20) * 1.1}px`;
  return drawing;
}
