// A row of emotions over time, for the ribbon and for the timeline of a recording.
import { element } from "./page.js";
import { colours, textOn } from "./colours.js";

const LETTER = 8;  // pixels of CSS that a letter takes at the most

// Stretches are [begin, end, emotion] in seconds; wide is the row's width in pixels, by which names are left out.
export function row(stretches, begin, end, wide, gaps = []) {
  const made = element("div", undefined, "row"), whole = Math.max(end - begin, 0.001);
  for (const [from, to, emotion] of [...stretches, ...gaps.map(gap => [...gap, null])]) {
    const left = Math.max(from, begin), share = (Math.min(to, end) - left) / whole;
    if (share <= 0) continue;
    const part = element("span", undefined, emotion === null ? "gap" : "stretch");
    const name = emotion === null ? "missing" : emotion;
    if (share * wide > LETTER * name.length) part.textContent = name;
    part.title = `${name}, ${(to - from).toFixed(1)} s`;
    part.style.left = `${100 * (left - begin) / whole}%`;
    part.style.width = `${100 * share}%`;
    if (emotion !== null) {
      part.style.background = colours.emotions[emotion];
      part.style.color = textOn(colours.emotions[emotion]);
    }
    made.append(part);
  }
  return made;
}

// Seconds for each emotion, the longest first.
export function shares(stretches) {
  const seconds = new Map();
  for (const [from, to, emotion] of stretches) seconds.set(emotion, (seconds.get(emotion) || 0) + to - from);
  return [...seconds].sort((a, b) => b[1] - a[1]);
}

export const clock = seconds => {
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
};
