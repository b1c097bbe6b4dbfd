// The camera's picture with boxes and labels, as a mirror shows it. The style sheet mirrors the whole canvas, which costs
// nothing where mirroring each frame costs a tenth of its time; so boxes and labels are drawn mirrored.
import { $ } from "./page.js";
import { colours } from "./colours.js";
import { placeLabel } from "./placement.js";

export const LOW = 0.5;  // a confidence below looks low: dashes, a label without ground, a question mark
const TEXT = 14;         // pixels of CSS
const NARROW = 480;      // the same: in a narrower picture, labels are shorter, or they cover the faces of others

export const isLow = face => face.emotion === "uncertain" || face.confidence < LOW;
export const percent = share => `${Math.round(100 * share)}\u00a0%`;

const picture = $("picture"), pen = picture.getContext("2d", { alpha: false });
let camera = [4, 3];  // its width and height in pixels

export function resize(width, height) {
  camera = [width, height];
  document.body.style.setProperty("--ratio", width / height);
}

// As many pixels as the screen shows: boxes and labels are sharp, however few the camera has. Asked here and not with
// each frame, which would do the layout twice.
new ResizeObserver(() => {
  const scale = window.devicePixelRatio || 1;
  picture.width = Math.round(picture.clientWidth * scale);
  picture.height = Math.round(picture.clientHeight * scale);
}).observe(picture);

// Shows the frame that the faces were found in, not a newer one. Returns where the labels are.
export function show(frame, faces, followed) {
  const { width, height } = picture, scale = window.devicePixelRatio || 1;
  if (!width || !height) return [];
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(frame, 0, 0, width, height);
  pen.setTransform(-1, 0, 0, 1, width, 0);
  const boxes = faces.map(face => mirrored(face.box, width, height));
  faces.forEach((face, i) => frameFace(face, boxes[i], Math.round(scale * (face.track === followed ? 4 : 2))));
  // Labels come after all boxes, so that no line crosses a text. Faces that pass each other would make labels jump from
  // side to side, so these avoid each other only, as in clips.
  const taken = [];
  faces.forEach((face, i) => taken.push(label(face, boxes[i], [width, height], taken, scale)));
  return taken;
}

// From the camera's pixels to the screen's, whole ones.
function mirrored([x1, y1, x2, y2], width, height) {
  const across = width / camera[0], down = height / camera[1];
  return [width - x2 * across, y1 * down, width - x1 * across, y2 * down].map(Math.round);
}

function frameFace(face, [x1, y1, x2, y2], line) {
  const dash = isLow(face) ? [3 * line, 3 * line] : [];
  const inside = [x1 + line / 2, y1 + line / 2, x2 - x1 - line, y2 - y1 - line];
  pen.lineWidth = line;
  pen.strokeStyle = colours.labels[face.emotion];
  if (dash.length) {  // on white, or dashes are lost in a picture of their colour
    pen.setLineDash([]);
    pen.strokeStyle = "#fff";
    pen.strokeRect(...inside);
    pen.strokeStyle = colours.labels[face.emotion];
  }
  pen.setLineDash(dash);
  pen.strokeRect(...inside);
  pen.setLineDash([]);
}

function label(face, box, [width, height], taken, scale) {
  const low = isLow(face), colour = colours.labels[face.emotion];
  const narrow = width < NARROW * scale, size = Math.round(scale * (narrow ? TEXT - 2 : TEXT)), pad = Math.round(size / 3);
  const text = `#${face.track} ${face.emotion}${low ? "?" : ""}${narrow ? "" : ` ${percent(face.confidence)}`}`;
  pen.font = `${low ? "" : "600 "}${size}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  const wide = Math.min(width, Math.ceil(pen.measureText(text).width) + 2 * pad), high = Math.min(height, size + 2 * pad);
  const place = placeLabel([wide, high], box, [width, height], taken, []);
  const [x, y] = place;
  pen.fillStyle = low ? "#fff" : colour;
  pen.fillRect(x, y, wide, high);
  pen.fillStyle = low ? colour : "#fff";
  pen.fillText(text, x + pad, y + high / 2, wide - 2 * pad);
  return place;
}
