// Whom the page tells of: the largest face, or the one that was chosen. A button lies over each face, so that mouse,
// touch, keyboard and screen reader choose alike.
import { $, element } from "./page.js";

const GONE = 2000;  // milliseconds after which one who left is followed no more: the same number never comes again
const LARGER = 1.2;  // how much larger another face has to be, so that two of one size do not take turns

const area = ({ box: [x1, y1, x2, y2] }) => (x2 - x1) * (y2 - y1);
const buttons = new Map();  // by track
let followed = null, seen = 0, largest = null;

export function follow(track) {
  followed = track;
  seen = performance.now();
}

export const isFollowed = track => track === followed;

// Returns the face that is told of, `null` where nobody is there or the followed one is out of sight.
export function chosen(faces) {
  if (followed !== null) {
    const face = faces.find(each => each.track === followed);
    if (face) { seen = performance.now(); return face; }
    if (performance.now() - seen < GONE) return null;
    followed = null;
  }
  const worth = face => (face.track === largest ? LARGER : 1) * area(face);
  const face = faces.reduce((best, each) => (!best || worth(each) > worth(best) ? each : best), null);
  largest = face && face.track;
  return face;
}

// The heading of what is told.
export function heading(face) {
  if (!face) return followed === null ? "the largest face" : `#${followed} is out of sight`;
  return `${isFollowed(face.track) ? "following " : ""}#${face.track} ${face.emotion}`;
}

export function offer(faces, [width, height]) {
  for (const [track, button] of buttons) {
    if (faces.some(face => face.track === track)) continue;
    // Who had chosen this one goes on from the picture, not from the top of the page.
    if (button === document.activeElement) $("stage").focus({ preventScroll: true });
    button.remove();
    buttons.delete(track);
  }
  for (const face of faces) {
    const button = buttons.get(face.track) || made(face.track);
    const [x1, y1, x2, y2] = face.box, { style } = button;
    style.left = `${100 * (width - x2) / width}%`; style.width = `${100 * (x2 - x1) / width}%`;
    style.top = `${100 * y1 / height}%`; style.height = `${100 * (y2 - y1) / height}%`;
    set(button, "aria-pressed", String(isFollowed(face.track)));
    set(button, "aria-label", `Follow #${face.track}, ${face.emotion}`);
  }
}

function set(button, name, value) { if (button.getAttribute(name) !== value) button.setAttribute(name, value); }

function made(track) {
  const button = element("button", undefined, "face");
  button.type = "button";
  button.onclick = () => follow(isFollowed(track) ? null : track);
  buttons.set(track, button);
  $("people").append(button);
  return button;
}
