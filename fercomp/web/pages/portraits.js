// A thumbnail for each person of a recording: the largest face of which the model was surest. They stay in this page.

const SIDE = 128;   // pixels
const MARGIN = 0.2; // share of the box on each side
const MOST = 300;   // people; of more, those who were seen least are let go
const BETTER = 1.2; // how much better a face has to be to take another's place: cutting out costs time

const people = new Map();  // by track: canvas, how good it is, and in how many frames the person was seen

export const forget = () => people.clear();

export function see(faces, picture) {
  for (const face of faces) {
    const person = people.get(face.track) || add(face.track), [x1, y1, x2, y2] = face.box;
    person.frames += 1;
    const worth = (x2 - x1) * (y2 - y1) * face.confidence;
    if (worth < BETTER * person.worth) continue;
    person.worth = worth;
    cutOut(person.canvas, picture, face.box);
  }
}

export const of = track => (people.has(track) ? people.get(track).canvas : document.createElement("canvas"));

function add(track) {
  if (people.size >= MOST) {
    const [least] = [...people].reduce((a, b) => (b[1].frames < a[1].frames ? b : a));
    people.delete(least);
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const person = { canvas, worth: 0, frames: 0 };
  people.set(track, person);
  return person;
}

function cutOut(canvas, picture, [x1, y1, x2, y2]) {
  const side = (1 + 2 * MARGIN) * Math.max(x2 - x1, y2 - y1), pen = canvas.getContext("2d");
  pen.setTransform(-1, 0, 0, 1, SIDE, 0);  // mirrored, as the picture is
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.drawImage(picture, (x1 + x2 - side) / 2, (y1 + y2 - side) / 2, side, side, 0, 0, SIDE, SIDE);
}
