// The page of `fercomp review`: photos whose labels are doubted, and decisions on them.
import { $, element, put, QUERY } from "./page.js";
import { image, showLarge } from "./explain.js";
import { chooseAll, fitting, offerFilters } from "./filters.js";
import { keyOf } from "./keys.js";
import { classes, contradicts, copies, forgetSteps, kindOf, photos, queue, take, undo } from "./suggestions.js";

const PAGE = 40;
const LOST = "The connection to fercomp ended; what is shown as decided is on disk. Type `fercomp review` again.";
let shown = [], page = 0, selected = 0;
let waiting = [], sending = false;

async function start() {
  const answer = await fetch(`state${QUERY}`).catch(() => null);
  if (!answer || !answer.ok) { tell(LOST); return; }
  take(await answer.json());
  $("classes").append(...classes.map((name, k) => button(k + 1, name, () => one(() => name))));
  $("actions").append(...BUTTONS.map(([key, text, action]) => button(key, text, action)));
  offerFilters(filter, toPhotos);
  filter();
}

const toPhotos = () => $("grid").focus({ preventScroll: true });

function filter() {
  shown = fitting();
  // Copies side by side: each picture at the place of its worst photo.
  if ($("filter").value === "copies") {
    const first = new Map();
    shown.forEach((number, i) => { const p = photos.get(number).picture; if (!first.has(p)) first.set(p, i); });
    shown.sort((a, b) => first.get(photos.get(a).picture) - first.get(photos.get(b).picture) || a - b);
  }
  const open = shown.findIndex(number => photos.get(number).decision === null);
  turn(open < 0 ? 0 : Math.floor(open / PAGE), open < 0 ? 0 : open % PAGE);
}

const onPage = () => shown.slice(page * PAGE, (page + 1) * PAGE).map(number => photos.get(number));
const pages = () => Math.max(1, Math.ceil(shown.length / PAGE));

function turn(to, select = 0) {
  page = Math.max(0, Math.min(to, pages() - 1));
  $("grid").replaceChildren(...onPage().map(cell));
  $("page").value = page + 1; $("page").max = pages(); $("pages").textContent = pages();
  choose(select);
  progress();
}

function cell(photo, place) {
  const made = element("figure");
  made.dataset.number = photo.number;
  made.id = `photo-${photo.number}`;
  made.setAttribute("role", "option");
  made.title = photo.path;
  const caption = element("figcaption");
  caption.append(element("span", `${photo.given} → `, "given"), element("strong", photo.suggested || "drop"),
    element("span", `${photo.quality.toFixed(2)}${contradicts(photo) ? ` ×${copies.get(photo.picture).length}` : ""}`, "quality"),
    element("span"));
  made.append(image(photo), caption);
  mark(made, photo);
  made.onclick = () => choose(place);
  return made;
}

function mark(figure, photo) {
  const { decision } = photo, label = figure.querySelector("figcaption").lastChild;
  label.className = "decision";
  label.textContent = decision === null ? "" : decision;
  if (decision !== null) label.classList.add(kindOf(photo));
}

function choose(place) {
  const cells = $("grid").children;
  selected = Math.max(0, Math.min(place, cells.length - 1));
  for (const [i, figure] of [...cells].entries()) figure.setAttribute("aria-selected", i === selected);
  const photo = onPage()[selected];
  showLarge(photo);
  if (!photo) { $("grid").removeAttribute("aria-activedescendant"); return; }
  $("grid").setAttribute("aria-activedescendant", cells[selected].id);
  cells[selected].scrollIntoView({ block: "nearest" });
}

// What was changed, and what to do next, once nothing is left to decide.
function end() {
  const left = queue.filter(number => photos.get(number).decision === null).length;
  const here = shown.filter(number => photos.get(number).decision === null).length;
  const counts = { accepted: 0, kept: 0, other: 0, dropped: 0 };
  for (const number of queue) if (photos.get(number).decision !== null) counts[kindOf(photos.get(number))] += 1;
  const text = !left ? `All ${queue.length} are decided: ${counts.accepted} accepted, ${counts.kept} kept, ` +
    `${counts.other} of another class, ${counts.dropped} dropped. Press Ctrl-C where fercomp runs, then type: fercomp relabel`
    : !shown.length ? "No photo fits what is chosen above." : !here ? `All here are decided; ${left} others are not yet.` : "";
  put("end", text);
  $("end").hidden = !text;
}

function progress() {
  end();
  const done = queue.filter(number => photos.get(number).decision !== null).length;
  $("done").textContent = done; $("total").textContent = queue.length;
  $("bar").value = done; $("bar").max = queue.length;
}

function set(changes) {
  for (const [photo, label] of changes) {
    photo.decision = label;
    const figure = $("grid").querySelector(`[data-number="${photo.number}"]`);
    if (figure) mark(figure, photo);
  }
  choose(selected);
  progress();
}

// A step that takes the last one back is an undo; the journal is read by the same rule.
function decide(wanted) {
  const changes = wanted.filter(([photo, label]) => photo.decision !== label);
  if (!changes.length) return;
  const old = changes.map(([photo]) => [photo, photo.decision]), last = new Map(undo.at(-1));
  const back = last.size === changes.length && changes.every(([photo, label]) => last.get(photo) === label) && undo.pop();
  if (!back) undo.push(old);
  $("said").textContent = "";
  set(changes);
  waiting.push({ changes, old, back });
  send();
}

// One request at a time, in order; what comes meanwhile goes together in the next.
async function send() {
  if (sending || !waiting.length) return;
  sending = true;
  $("saving").textContent = "saving";
  const batch = waiting; waiting = [];
  const wishes = batch.flatMap(({ changes, old }) =>
    changes.map(([photo, label], i) => ({ photo: photo.number, label, was: old[i][1], same_step: i > 0 })));
  const answer = await fetch(`decisions${QUERY}`, { method: "POST", body: JSON.stringify(wishes) }).catch(() => null);
  if (answer && answer.ok) {
    sending = false;
    tell("");
    $("saving").textContent = waiting.length ? "saving" : "all on disk";
    send();
    return;
  }
  const text = answer ? await answer.text().catch(() => "") : "";
  const refused = [...batch, ...waiting];  // with the keys that were pressed meanwhile
  waiting = []; sending = false;
  for (const { old, back } of refused.reverse()) {
    set(old);
    if (back) undo.push(back); else undo.pop();
  }
  $("saving").textContent = ""; $("said").textContent = "";
  if (answer && answer.status === 409 && text) refresh(JSON.parse(text));
  else tell(answer ? `Not saved: ${text}` : LOST);
}

// What this page shows is out of date: what another one decided is shown, and nothing of it overwritten.
function refresh(state) {
  const before = new Map([...photos.values()].map(photo => [photo.number, photo.decision]));
  take(state);
  const changed = [...photos.values()].filter(photo => photo.decision !== before.get(photo.number)).length;
  forgetSteps();
  turn(page, selected);
  tell(`Another page decided ${changed} photo${changed === 1 ? "" : "s"} meanwhile, now shown. Your last step was not saved.`);
}

function tell(text) { $("message").textContent = text; $("message").hidden = !text; }

function one(label) {
  const photo = onPage()[selected];
  if (!photo) return;
  const wanted = label(photo);
  const same = copies.get(photo.picture).filter(copy => copy !== photo && copy.doubted && copy.decision === null);
  decide([photo, ...same].map(each => [each, wanted]));
  const next = onPage().findIndex((each, place) => place > selected && each.decision === null);
  choose(next < 0 ? selected + 1 : next);
}

function rest(label) {
  const changes = onPage().filter(photo => photo.decision === null).map(photo => [photo, label(photo)]);
  if (changes.length) decide(changes);
}

function takeBack() {
  const step = undo.at(-1);
  if (!step) { $("said").textContent = "There is nothing to undo."; return; }
  const [photo, before] = step[0], was = photo.decision;
  decide(step);
  if (!shown.includes(photo.number) && photo.doubted) {
    chooseAll();
    filter();
  }
  const place = shown.indexOf(photo.number);
  if (place >= 0) turn(Math.floor(place / PAGE), place % PAGE);
  const more = step.length > 1 ? `, and so for ${step.length - 1} more` : "";
  $("said").textContent = `Undone: ${photo.path} is ${before || "undecided"} again, not ${was || "undecided"}${more}.`;
}

const accepted = photo => photo.suggested || "drop", kept = photo => photo.given;
const columns = () => getComputedStyle($("grid")).gridTemplateColumns.split(" ").length;

const BUTTONS = [
  ["Enter", "accept the suggestion", () => one(accepted)], ["K", "keep the given label", () => one(kept)],
  ["D", "drop: no label fits", () => one(() => "drop")], ["U", "undo", takeBack],
  ["←", "previous photo", () => choose(selected - 1)], ["→", "next photo", () => choose(selected + 1)],
  ["P", "previous page", () => turn(page - 1)], ["N", "next page", () => turn(page + 1)],
  ["Shift A", "accept all undecided on this page", () => rest(accepted)],
  ["Shift K", "keep all undecided on this page", () => rest(kept)],
];
const OF_BUTTON = Object.fromEntries(BUTTONS.map(([key, , action]) => [key, action]));
const ACTIONS = {
  ...OF_BUTTON, A: OF_BUTTON.Enter, Delete: OF_BUTTON.D, PageDown: OF_BUTTON.N, PageUp: OF_BUTTON.P,
  ArrowLeft: OF_BUTTON["←"], ArrowRight: OF_BUTTON["→"],
  ArrowDown: () => choose(selected + columns()), ArrowUp: () => choose(selected - columns()),
};

function button(key, text, action) {
  const made = element("button");
  made.type = "button";
  made.append(element("kbd", key), ` ${text}`);
  // After a click, Enter is for the next photo again; who came by Tab stays where they are.
  made.onclick = event => { action(); if (event.detail) toPhotos(); };
  return made;
}

document.addEventListener("keydown", event => {
  if (event.target.matches("select, input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = keyOf(event);
  if (event.target.matches("button") && (key === "Enter" || key === " ")) return;
  const digit = /^[1-9]$/.test(key) ? classes[key - 1] : undefined;
  const action = digit ? () => one(() => digit) : ACTIONS[key];
  if (!action) return;
  event.preventDefault();
  action();
});
$("page").onchange = event => turn(Math.floor(event.target.value || 1) - 1);
$("page").onkeyup = event => { if (event.key === "Enter") toPhotos(); };
window.addEventListener("beforeunload", event => { if (sending || waiting.length) event.preventDefault(); });
start();
