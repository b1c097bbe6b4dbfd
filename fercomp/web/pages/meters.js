// What is said of one face: a bar for each emotion, and a point in the circle of valence and arousal.
import { $, element, put } from "./page.js";
import { colours } from "./colours.js";
import { isLow, percent } from "./picture.js";

let rows = [];

export function makeBars(classes) {
  rows = classes.map(name => {
    const row = element("li"), track = element("div", undefined, "bar"), bar = element("div");
    const share = element("span", "", "share");
    bar.style.color = colours.emotions[name];
    track.append(bar);
    row.append(element("span", name), track, share);
    return { row, bar, share };
  });
  $("bars").replaceChildren(...rows.map(({ row }) => row));
}

export function tell(face, heading) {
  put("whom", heading);
  $("bars").classList.toggle("low", Boolean(face) && isLow(face));
  rows.forEach(({ bar, share }, k) => {
    const value = face ? face.probabilities[k] : 0;
    bar.style.width = `${100 * value}%`;
    const text = face ? percent(value) : "–";
    if (share.textContent !== text) share.textContent = text;
  });
  const point = face && face.point;
  $("circle").hidden = !point;
  if (!point) return;
  const [valence, arousal] = point;
  $("point").setAttribute("cx", 100 * valence);
  $("point").setAttribute("cy", -100 * arousal);
  $("point").setAttribute("fill", colours.emotions[face.emotion]);
  put("coordinates", `valence ${signed(valence)}, arousal ${signed(arousal)}`);
}

const signed = value => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
