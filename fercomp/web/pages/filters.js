// Which of the suggestions are shown.
import { $ } from "./page.js";
import { classes, contradicts, pair, photos, queue } from "./suggestions.js";

// Which photos each filter lets through.
const FITS = {
  reason: (photo, wanted) => photo.reason === wanted,
  class: (photo, wanted) => photo.given === wanted || photo.suggested === wanted,
  decided: (photo, wanted) => wanted === "dropped" ? photo.decision === "drop" : (photo.decision !== null) === (wanted === "decided"),
  filter: (photo, wanted) => wanted === "copies" ? contradicts(photo) : pair(photo) === wanted,
};

// Returns the numbers of the photos that fit everything that is chosen.
export function fitting() {
  const checks = Object.entries(FITS).map(([id, fits]) => [fits, $(id).value]).filter(([, value]) => value);
  return queue.filter(number => checks.every(([fits, value]) => fits(photos.get(number), value)));
}

export function chooseAll() { for (const id of Object.keys(FITS)) $(id).value = ""; }

// `changed` is called when another filter is chosen, `done` when the keys are for the photos again.
export function offerFilters(changed, done) {
  const counts = new Map();
  for (const number of queue) counts.set(pair(photos.get(number)), (counts.get(pair(photos.get(number))) || 0) + 1);
  const pairs = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const several = queue.filter(number => contradicts(photos.get(number))).length;
  const options = [
    ["", `all (${queue.length})`],
    ["copies", `copies with several labels (${several})`],
    ...pairs.map(([name, count]) => [name, `${name} (${count})`]),
  ];
  offer("filter", options, changed, done);
  const reasons = [...new Set(queue.map(number => photos.get(number).reason))].sort();
  offer("reason", [["", "any"], ...reasons.map(reason => [reason, reason])], changed, done);
  offer("class", [["", "any"], ...classes.map(name => [name, name])], changed, done);
  offer("decided", [["", "any"], ["undecided", "not yet"], ["decided", "yes"], ["dropped", "dropped"]], changed, done);
}

function offer(id, options, changed, done) {
  $(id).replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  // After a choice by mouse, keys are for the photos again; arrow keys choose on.
  let byKey = false;
  $(id).onkeydown = () => { byKey = true; };
  $(id).onpointerdown = $(id).onblur = () => { byKey = false; };
  $(id).onchange = () => { changed(); if (!byKey) done(); };
}
