// The last 30 seconds: a row for each person who was seen in them.
import { $, element } from "./page.js";
import { row } from "./rows.js";

const SECONDS = 30;
const ROWS = 5;   // those who were seen last
const PAUSE = 3;  // seconds without a frame that are shown as missing

const people = new Map();  // by track: stretches
let gaps = [], last = null;

export function add(faces, now) {
  const step = last === null ? 0 : now - last;
  if (step > PAUSE) gaps.push([last, now]);
  for (const { track, emotion } of faces) {
    if (!people.has(track)) people.set(track, []);
    const stretches = people.get(track), end = stretches.at(-1);
    if (end && end[1] === last && step <= PAUSE) end[1] = now;
    if (!end || end[1] !== now || end[2] !== emotion) stretches.push([now, now, emotion]);
  }
  last = now;
}

export function draw(now) {
  const begin = now - SECONDS;
  gaps = gaps.filter(([, end]) => end > begin);
  for (const [track, stretches] of people) {
    const kept = stretches.filter(([, end]) => end > begin);
    if (kept.length) people.set(track, kept); else people.delete(track);
  }
  const shown = [...people].sort((a, b) => b[1].at(-1)[1] - a[1].at(-1)[1] || a[0] - b[0]).slice(0, ROWS);
  shown.sort((a, b) => a[0] - b[0]);
  const missing = last !== null && now - last > PAUSE ? [...gaps, [last, now]] : gaps;
  const wide = $("ribbon").clientWidth - 48;
  $("ribbon").replaceChildren(...shown.map(([track, stretches]) => {
    const made = element("div", undefined, "person");
    made.append(element("span", `#${track}`), row(stretches, begin, now, wide, missing));
    return made;
  }));
  $("ribbon").setAttribute("aria-label", `The last ${SECONDS} seconds. ${shown.map(told).join(" ") || "Nobody was seen."}`);
}

const told = ([track, stretches]) =>
  `#${track}: ${stretches.map(each => each[2]).filter((name, i, all) => name !== all[i - 1]).join(", then ")}.`;
