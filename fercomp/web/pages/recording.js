// The recording: its button, its clock, what is missing from it, and its timeline when it ends.
import { $, element, put } from "./page.js";
import { percent } from "./picture.js";
import * as portraits from "./portraits.js";
import { clock, row, shares } from "./rows.js";

const LATE = 1500;  // milliseconds without a frame after which nothing is recorded right now

export const state = { file: null };
let missing = 0, seconds = 0, answered = 0, wasHidden = false, asking = false;

export function begin(talk) {
  $("record").removeAttribute("aria-disabled");
  $("record").onclick = async () => {
    if (asking) return;  // a second click means the same
    asking = true;
    const answer = await talk.ask({ record: state.file === null });
    asking = false;
    take(answer);
  };
  document.addEventListener("visibilitychange", () => {
    if (state.file !== null && document.hidden) wasHidden = true;
    document.title = state.file !== null && document.hidden ? "⏸ not recording – fercomp live" : "fercomp live";
  });
}

function take(answer) {
  if (answer.kind !== "recording") { stop(); return; }
  if (answer.file !== null) {
    state.file = answer.file;
    [missing, seconds, answered, wasHidden] = [0, 0, performance.now(), false];
    portraits.forget();
    $("after").hidden = true;
    put("file", `recording to ${answer.file}`);
  } else {
    put("file", state.file ? `recorded in ${state.file}` : "");
    stop();
    if (answer.timeline) showTimeline(answer.timeline);
  }
  tick();
}

export function stop() {
  state.file = null;
  tick();
}

// What a frame's answer says of the recording.
export function heard(told) {
  answered = performance.now();
  seconds = told.seconds;
  if (told.missing > missing) {
    const why = wasHidden ? "this page was in the background" : "no frame came";
    put("file", `recording to ${state.file}: ${(told.missing - missing).toFixed(1)} s are missing, ${why}`);
    missing = told.missing;
  }
  wasHidden = document.hidden;
}

// Called now and then: the clock goes on where no frame comes.
export function tick() {
  const on = state.file !== null, late = on && performance.now() - answered > LATE;
  put("record-text", on ? "Stop recording" : "Start recording");
  $("record").classList.toggle("on", on);
  $("clock").hidden = !on;
  put("clock", clock(seconds + (late ? (performance.now() - answered) / 1000 : 0)));
  $("missing").hidden = !on || !(late || missing);
  put("missing", late ? "nothing is recorded right now" : `${missing.toFixed(1)} s missing`);
}

function showTimeline(told) {
  const { people, everybody, gaps } = told;
  const shown = people.length < everybody ? `${people.length} longest of ${everybody} people` : `${everybody} ${everybody === 1 ? "person" : "people"}`;
  const lost = gaps.length ? `, ${told.missing.toFixed(1)} s missing in ${gaps.length} gap${gaps.length === 1 ? "" : "s"}` : "";
  put("after-title", `${clock(told.seconds)} recorded: ${everybody ? shown : "nobody was seen"}${lost}`);
  $("after").hidden = false;
  const wide = $("after-people").clientWidth - 72;
  $("after-people").replaceChildren(...people.map(({ track, stretches }) => person(track, stretches, told, wide)));
  put("after-begin", clock(0));
  put("after-end", clock(told.seconds));
  $("after-axis").hidden = !people.length;
}

function person(track, stretches, told, wide) {
  const made = element("li"), portrait = portraits.of(track), words = element("p");
  const all = shares(stretches), whole = all.reduce((sum, [, seconds]) => sum + seconds, 0);
  portrait.setAttribute("role", "img");
  portrait.setAttribute("aria-label", `#${track}`);
  const parts = all.map(([name, seconds]) => `${name} ${percent(seconds / Math.max(whole, 0.001))}`);
  words.append(element("strong", `#${track}`), `, seen for ${whole.toFixed(1)} s: ${parts.join(", ")}`);
  const line = row(stretches, 0, told.seconds, wide, told.gaps);
  line.setAttribute("role", "img");
  line.setAttribute("aria-label", `#${track}: ` + stretches.map(([from, , name]) => `${name} from ${clock(from)}`).slice(0, 50).join(", "));
  made.append(portrait, words, line);
  return made;
}
