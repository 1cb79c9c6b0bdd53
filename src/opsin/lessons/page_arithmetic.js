// Size arithmetic of windows: opsin/ops/arithmetic.py once more, for a page runs no Python. A test
// holds the two together, words included. n size before, N after, F kernel, S stride, P padding,
// D dilation. Sizes are numbers, costs and fields BigInt: those may grow beyond 2^53.

class SizeError extends Error {
  constructor(received, expected, remedy = "") {
    super(`received ${received}; expected ${expected}. ${remedy}`.trim());
  }
}

const sizeOf = (pair) => pair.join("×");

/** Says what no window can have; a window has one number for both axes. */
function checkWindow(window) {
  for (const [name, least] of Object.entries({ kernel: 1, stride: 1, padding: 0, dilation: 1 })) {
    const given = window[name];
    const worded = name === "padding";
    if (worded && (given === "valid" || given === "same")) continue;
    if (!Number.isInteger(given) || given < least) {
      const words = worded ? ', or "valid", or "same"' : "";
      throw new SizeError(`${name} ${given}`, `a whole number of at least ${least}${words}`);
    }
  }
}

const spanOf = (window) => window.dilation * (window.kernel - 1) + 1;

function windowWords(window) {
  const words = [`${window.kernel}×${window.kernel}`];
  for (const [name, usual] of Object.entries({ stride: 1, padding: 0, dilation: 1 })) {
    if (window[name] !== usual) words.push(`${name} ${window[name]}`);
  }
  if (window.ceil) words.push("ceil");
  return words.join(", ");
}

/** Padding before and after n pixels; of "same", the odd one is after. */
function ends(window, n) {
  if (window.padding === "valid") return [0, 0];
  if (window.padding !== "same") return [window.padding, window.padding];
  const beyond = (Math.ceil(n / window.stride) - 1) * window.stride - (n - 1);
  const missing = Math.max(0, spanOf(window) - 1 + beyond);
  return [Math.floor(missing / 2), missing - Math.floor(missing / 2)];
}

const sumOf = (pair) => pair[0] + pair[1];

/** N, which is 0 or less where not even one window fits. */
function positions(window, n) {
  const [before, after] = ends(window, n);
  const room = before + n + after - spanOf(window);
  if (!window.ceil) return Math.floor(room / window.stride) + 1;
  const count = Math.ceil(room / window.stride) + 1;
  // A window must start in the picture or in the padding before it.
  return (count - 1) * window.stride >= n + before ? count - 1 : count;
}

function checkSize(size) {
  if (!size.every((n) => Number.isInteger(n) && n > 0)) {
    throw new SizeError(`a picture of ${sizeOf(size)}`, "at least 1×1 pixels");
  }
}

function outputSize(size, window) {
  checkSize(size);
  const after = size.map((n) => positions(window, n));
  if (Math.min(...after) < 1) {
    const padded = sizeOf(size.map((n) => n + sumOf(ends(window, n))));
    throw new SizeError(
      `a picture of ${sizeOf(size)} for a window of ${windowWords(window)}`,
      `at least ${sizeOf([spanOf(window), spanOf(window)])}, padding included (here ${padded})`,
      "Take a larger picture, a smaller kernel, less dilation, or padding same.",
    );
  }
  return after;
}

function transposedSize(size, window, extra) {
  checkSize(size);
  const most = Math.max(window.stride, window.dilation) - 1;
  if (!Number.isInteger(extra) || extra < 0 || extra > most) {
    throw new SizeError(
      `output_padding ${extra} for a window of ${windowWords(window)}`,
      `0 to ${most}`,
    );
  }
  const after = size.map((n) =>
    window.padding === "same"
      ? n * window.stride + extra
      : (n - 1) * window.stride - sumOf(ends(window, n)) + spanOf(window) + extra,
  );
  if (Math.min(...after) < 1) {
    throw new SizeError(
      `a picture of ${sizeOf(size)} for the transpose of ${windowWords(window)}`,
      `something to be left of it (here ${sizeOf(after)})`,
      "Take less padding.",
    );
  }
  return after;
}

// ── what does not come out even ─────────────────────────────────────────────────────────────────

const wrapped = (n, period) => ((n % period) + period) % period;

/** The padding nearest to a window's own that comes out even; more rather than less. */
function nearestPadding(window, n) {
  const own = ends(window, n)[0];
  const room = n + 2 * own - spanOf(window);
  const stride = window.stride;
  // One more of padding is 2 more of room: with an even stride an odd room never comes out.
  if (stride % 2 === 0 && room % 2) return null;
  const period = stride % 2 ? stride : stride / 2;
  const more = stride % 2 ? wrapped((-room * (stride + 1)) / 2, stride) : wrapped(-room / 2, period);
  const steps = [more, more - period].sort((a, b) => Math.abs(a) - Math.abs(b));
  const step = steps.find((each) => own + each >= 0 && room + 2 * each >= 0);
  return step === undefined ? null : [own + step, Math.floor((room + 2 * step) / stride) + 1];
}

/** The stride nearest to a window's own that comes out even; less rather than more. */
function nearestStride(window, room) {
  let nearest = 1;
  for (let each = 1; each * each <= room; each++) {
    if (room % each) continue;
    for (const stride of [each, room / each]) {
      const gain = Math.abs(nearest - window.stride) - Math.abs(stride - window.stride);
      if (gain > 0 || (gain === 0 && stride < nearest)) nearest = stride;
    }
  }
  return [nearest, room / nearest + 1];
}

/** Two decimals as Python writes them: toFixed rounds a half up, Python to the even digit. */
function twoDecimals(value) {
  const cents = value * 100;
  const half = Number.isInteger(value * 8) && cents % 1 === 0.5;
  if (!half) return value.toFixed(2);
  const low = Math.floor(cents);
  return ((low + (low % 2)) / 100).toFixed(2);
}

/** Sentences on what does not come out even, one for each axis, or one for two that are alike. */
function uneven(size, window) {
  outputSize(size, window);
  const said = size.map((n, axis) => unevenAxis(["height", "width"][axis], n, window));
  if (said[0] && said[0].replace("height", "width") === said[1]) {
    return [`height and ${said[1]}`];
  }
  return said.filter(Boolean);
}

function unevenAxis(name, n, window) {
  const pad = sumOf(ends(window, n));
  const span = spanOf(window);
  const room = n + pad - span;
  // Below 0 a lone window is larger than all there is (ceil): no stride would make it even.
  if (room <= 0 || room % window.stride === 0 || window.padding === "same") return "";
  const rest = room % window.stride;
  const edge = `the last ${rest} pixel${rest > 1 ? "s" : ""} would not be seen`;
  const missed = window.ceil ? "the last window hangs over the end" : edge;
  const padding = nearestPadding(window, n);
  const stride = nearestStride(window, room);
  const fits = padding ? [`padding ${padding[0]} gives ${padding[1]}`] : [];
  fits.push(`stride ${stride[0]} gives ${stride[1]}`);
  return (
    `${name} ${n}: (${n} + ${pad} − ${span})/${window.stride} + 1 = ` +
    `${twoDecimals(room / window.stride + 1)} is not an integer; ${missed}; ${fits.join(", ")}`
  );
}

// ── costs, and what is seen ─────────────────────────────────────────────────────────────────────

function checkChannels(depth, filters) {
  if (![depth, filters].every((n) => Number.isInteger(n) && n > 0)) {
    throw new SizeError(
      `${depth} channels to ${filters} in 1 groups`,
      "whole numbers of channels, at least 1 in each group",
    );
  }
}

const parametersOf = (window, depth, filters) =>
  (BigInt(window.kernel) ** 2n * BigInt(depth) + 1n) * BigInt(filters);

const multiplyAdds = (places, window, depth, filters) =>
  BigInt(places[0]) * BigInt(places[1]) * BigInt(filters) *
  BigInt(window.kernel) ** 2n * BigInt(depth);

/** What one number sees after one more window: Araujo, Norris & Sim (2019), equations 2 and 3. */
const fieldThrough = (field, window) => ({
  size: field.size + BigInt(spanOf(window) - 1) * field.stride,
  stride: field.stride * BigInt(window.stride),
});

/** What a layer makes of a picture {size, depth, field}; field is null where it differs. */
function throughLayer(layer, came) {
  const window = { ...layer, ceil: layer.kind === "pooling" && layer.ceil };
  checkWindow(window);
  if (layer.kind === "transposed") {
    const size = transposedSize(came.size, window, layer.extra);
    checkChannels(came.depth, layer.filters);
    const madds = multiplyAdds(came.size, window, came.depth, layer.filters);
    const parameters = parametersOf(window, came.depth, layer.filters);
    return { size, depth: layer.filters, field: null, parameters, madds, said: [] };
  }
  const size = outputSize(came.size, window);
  const field = came.field && fieldThrough(came.field, window);
  const said = uneven(came.size, window);
  if (layer.kind === "pooling") {
    return { size, depth: came.depth, field, parameters: 0n, madds: 0n, said };
  }
  checkChannels(came.depth, layer.filters);
  const madds = multiplyAdds(size, window, came.depth, layer.filters);
  const parameters = parametersOf(window, came.depth, layer.filters);
  return { size, depth: layer.filters, field, parameters, madds, said };
}
