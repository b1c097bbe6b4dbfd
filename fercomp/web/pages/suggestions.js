// What is to be decided, as fercomp told it, and what was decided since.

export let classes = [], queue = [];
export let undo = [];  // steps, the last one last: each photo with its decision before
export const photos = new Map(), copies = new Map();

export function take(state) {
  classes = state.classes; queue = state.queue;
  photos.clear(); copies.clear();
  for (const [number, [path, given, suggested, quality, reason, shares, picture, decision]] of Object.entries(state.photos)) {
    const photo = { number: +number, path, given, suggested, quality, reason, shares, picture, decision };
    photos.set(photo.number, photo);
    if (!copies.has(picture)) copies.set(picture, []);
    copies.get(picture).push(photo);
  }
  for (const number of queue) photos.get(number).doubted = true;
  undo = state.steps.map(step => step.map(([number, before]) => [photos.get(number), before]));
}

// What was decided on another page is nothing to take back here by mistake.
export function forgetSteps() { undo = []; }

export const contradicts = photo => copies.get(photo.picture).some(other => other.given !== photo.given);
export const pair = photo => `${photo.given} → ${photo.suggested || "drop"}`;

export const kindOf = ({ decision, suggested, given }) =>
  decision === "drop" ? "dropped" : decision === suggested ? "accepted" : decision === given ? "kept" : "other";
