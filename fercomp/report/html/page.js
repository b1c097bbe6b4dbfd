"use strict";
const runs = JSON.parse(document.getElementById("known").textContent).runs;
const MISSING = "–";

function make(name, attributes, ...content) {
  const svg = ["svg", "path", "line", "text", "rect", "circle"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...content.filter(part => part !== null));
  return made;
}

/* tables that can be sorted; what is not known comes last, whichever way */
function sortable(table) {
  const rows = table.tBodies[0].rows, headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const numbers = [...rows].some(row => row.cells[column].classList.contains("number"));
      const before = heading.getAttribute("aria-sort"), up = before ? before === "descending" : !numbers;
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = row => row.cells[column].dataset.value || "";
      const compare = (a, b) => (numbers ? a - b : a.localeCompare(b)) * (up ? 1 : -1);
      const order = [...rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x === "" || y === "" ? (x === "") - (y === "") : compare(x, y);
      });
      table.tBodies[0].append(...order);
      document.getElementById("sorted").textContent =
        `sorted by ${button.textContent}, ${up ? "ascending" : "descending"}`;
    });
  });
}

function framed(caption, table) {
  table.prepend(make("caption", {}, make("span", {}, caption)));
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
}

function tableOf(headings, rows, kind) {
  const head = make("tr", {}, ...headings.map(text => make("th", { scope: "col" }, text)));
  const lines = rows.map(([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name), ...cells));
  return make("table", kind ? { class: kind } : {}, make("thead", {}, head), make("tbody", {}, ...lines));
}

const cell = (text, kind = "number") => make("td", { class: kind }, text);
const shown = (value, digits) => value === null || value === undefined ? MISSING : value.toFixed(digits);

function signed(value, digits, better = 0) {
  if (value === null) return cell(MISSING);
  const text = value.toFixed(digits), sign = Number(text) * better;
  return cell((Number(text) > 0 ? "+" : "") + text.replace("-", "−"), `number ${sign > 0 ? "up" : sign < 0 ? "down" : ""}`);
}

const less = (a, b) => a === null || b === null || a === undefined || b === undefined ? null : a - b;

function scores(a, b) {
  const digits = { "ms per face": 1, "public score": 5, "private score": 5 };
  const falling = ["calibration error", "ms per face"];
  const rows = Object.keys(a.scores).map(name => {
    const [x, y, n] = [a.scores[name], b.scores[name], digits[name] || 4];
    return [name, cell(shown(x, n)), cell(shown(y, n)), signed(less(y, x), n, falling.includes(name) ? -1 : 1)];
  });
  return framed("Scores", tableOf(["score", key("a", a.name), key("b", b.name), "difference"], rows));
}

const key = (series, name) => make("span", { class: `key key-${series}` }, name);

function parameters(a, b) {
  const names = [...new Set([...Object.keys(a.params), ...Object.keys(b.params)])];
  const rows = names.filter(name => a.params[name] !== b.params[name])
    .map(name => [name, cell(a.params[name] ?? MISSING, ""), cell(b.params[name] ?? MISSING, "")]);
  if (!rows.length) return make("p", {}, "No parameter differs.");
  return framed("Parameters that differ", tableOf(["parameter", key("a", a.name), key("b", b.name)], rows));
}

/* curves: both runs, training thin and dashed */
function curves(a, b, measure, title) {
  const width = 460, height = 230, left = 44, bottom = 34, top = 10;
  const drawn = [[a, "a"], [b, "b"]].filter(([run]) => run.history.epoch);
  if (!drawn.length) return null;
  const values = drawn.flatMap(([run]) => [...run.history[measure], ...run.history[`holdout_${measure}`]])
    .filter(value => value !== null);
  if (!values.length) return null;
  const last = Math.max(...drawn.map(([run]) => run.history.epoch.at(-1)), 2);
  const low = Math.min(...values), high = Math.max(...values, low + 1e-6);
  const x = epoch => left + (epoch - 1) / (last - 1) * (width - left - 16);
  const y = value => height - bottom - (value - low) / (high - low) * (height - bottom - top);
  const picture = make("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": `${title} by epoch; the numbers are in the table below` });
  for (let i = 0; i <= 4; i++) {
    const value = low + (high - low) * i / 4;
    picture.append(
      make("line", { x1: left, x2: width - 16, y1: y(value), y2: y(value), class: "grid" }),
      make("text", { x: left - 6, y: y(value) + 4, class: "end small" }, value.toFixed(2)));
  }
  for (const epoch of [...new Set([1, Math.round((1 + last) / 2), last])])
    picture.append(make("text", { x: x(epoch), y: height - 18, class: "middle small" }, epoch));
  picture.append(make("text", { x: (left + width) / 2, y: height - 3, class: "middle small" }, "epoch"));
  for (const [run, series] of drawn) {
    for (const [name, kind] of [[measure, "train"], [`holdout_${measure}`, "holdout"]]) {
      const points = run.history.epoch.map((epoch, i) => [epoch, run.history[name][i]])
        .filter(([, value]) => value !== null).map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`);
      if (points.length) picture.append(make("path", { d: `M${points.join("L")}`, class: `line line-${series} ${kind}` }));
    }
    const best = run.history.epoch.indexOf(run.best);
    if (best >= 0 && run.history[`holdout_${measure}`][best] !== null) picture.append(make("circle",
      { cx: x(run.best), cy: y(run.history[`holdout_${measure}`][best]), r: 4.5, class: `series-${series}` }));
  }
  return make("figure", {}, make("h3", {}, title), picture);
}

function epochs(a, b) {
  const known = [a, b].filter(run => run.history.epoch);
  if (!known.length) return make("p", {}, "Neither of the two has epochs of its own.");
  const all = [...new Set(known.flatMap(run => run.history.epoch))].sort((x, y) => x - y);
  const names = ["loss", "holdout_loss", "accuracy", "holdout_accuracy"];
  const headings = known.flatMap(run => names.map(name => `${run.name}: ${name.replace("_", " ")}`));
  const rows = all.map(epoch => [epoch, ...known.flatMap(run => {
    const place = run.history.epoch.indexOf(epoch);
    return names.map(name => cell(place < 0 ? MISSING : shown(run.history[name][place], 4)));
  })]);
  const table = make("details", {}, make("summary", {}, "The curves as a table"));
  table.addEventListener("toggle", () => {
    if (table.children.length < 2) table.append(framed("Loss and accuracy by epoch", tableOf(["epoch", ...headings], rows)));
  });
  return table;
}

function confusion(a, b) {
  if (!a.confusion.length || !b.confusion.length) {
    const missing = [a, b].filter(run => !run.confusion.length).map(run => `fercomp evaluate --model ${run.typed}`);
    return make("p", {}, "The confusion is missing. Type ", ...missing.flatMap((words, i) => [i ? " and " : "", make("code", {}, words)]));
  }
  const names = a.answers.filter(name => b.answers.includes(name));
  const share = (run, given, answer) => {
    const row = run.confusion[run.answers.indexOf(given)], all = row.reduce((sum, n) => sum + n, 0);
    return all ? row[run.answers.indexOf(answer)] / all : null;
  };
  const rows = names.map(given => [given, ...names.map(answer => {
    const value = less(share(b, given, answer), share(a, given, answer));
    const made = signed(value === null ? null : value * 100, 1);
    if (value) {
      const good = (value > 0) === (given === answer);
      made.style.background = `color-mix(in srgb, var(--${good ? "up" : "down"}) ${Math.min(Math.abs(value) * 250, 45)}%, transparent)`;
    }
    return made;
  })]);
  return framed(`Confusion: percentage points of each given label (row) by which ${b.name} answers more often than ${a.name}; green where that is better, red where it is worse`,
    tableOf(["given label", ...names], rows, "confusion"));
}

function recalls(a, b) {
  const bars = (x, y) => make("svg", { viewBox: "0 0 140 20", width: 140, height: 20, "aria-hidden": "true" },
    make("rect", { x: 0, y: 1, width: (x || 0) * 140, height: 8, class: "series-a" }),
    make("rect", { x: 0, y: 11, width: (y || 0) * 140, height: 8, class: "series-b" }));
  const of = (run, name) => run.classes.find(row => row.emotion === name);
  const names = [...new Set([...a.classes, ...b.classes].map(row => row.emotion))];
  if (!names.length) return null;
  const rows = names.map(name => {
    const [x, y] = [of(a, name), of(b, name)], [p, q] = [x ? x.recall : null, y ? y.recall : null];
    return [name, cell(String((x || y).photos)), cell(shown(p, 3)), cell(shown(q, 3)), signed(less(q, p), 3, 1), make("td", {}, bars(p, q))];
  });
  return framed("Recall of each class", tableOf(["class", "photos", key("a", a.name), key("b", b.name), "difference", "both"], rows));
}

function compare() {
  const [a, b] = ["first", "second"].map(id => runs[document.getElementById(id).value]);
  const warning = a.otherHoldout !== b.otherHoldout ? make("p", {}, "One of the two was scored on other photos or labels than are the holdout now.") : null;
  const legend = make("p", { class: "hint" }, key("a", a.name), key("b", b.name), "solid: holdout, dashed: training, dot: the epoch that was kept");
  const pair = [curves(a, b, "accuracy", "Accuracy"), curves(a, b, "loss", "Loss")].filter(Boolean);
  const all = [warning, make("div", { class: "pair" }, scores(a, b), parameters(a, b)),
    pair.length ? legend : null, pair.length ? make("div", { class: "pair" }, ...pair) : null, epochs(a, b),
    recalls(a, b), confusion(a, b)];
  document.getElementById("both").replaceChildren(...all.filter(Boolean));
}

document.querySelectorAll("table.sortable").forEach(sortable);
if (document.getElementById("both")) {
  for (const id of ["first", "second"]) document.getElementById(id).addEventListener("change", compare);
  compare();
}
