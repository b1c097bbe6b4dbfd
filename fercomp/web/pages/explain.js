// The photo that is looked at: large, with the reason for the doubt in words, and bars.
import { $, element, QUERY } from "./page.js";
import { classes, contradicts, copies } from "./suggestions.js";

export function image(photo, large) {
  const made = element("img");
  made.src = `photos/${photo.number}${QUERY}${large ? "&large=true" : ""}`;
  made.alt = `${photo.path}, given ${photo.given}`;
  return made;
}

const WHY = {
  copies: photo => `More copies of this picture are labelled ${photo.suggested} than anything else.`,
  tie: photo => `Copies of this picture have several labels equally often; the network decides for ${photo.suggested}.`,
  network: photo => `The network's votes for ${photo.suggested} outweigh the given label.`,
  review: photo => `Somebody decided before: ${photo.suggested || "no label fits"}.`,
};

// Shows nothing where there is no photo.
export function showLarge(photo) {
  for (const id of ["large", "why", "bars", "copies"]) $(id).replaceChildren();
  $("others").hidden = true;
  if (!photo) return;
  explain(photo);
  $("large").append(image(photo, true), element("figcaption", `${photo.path}: ${photo.given} → ${photo.suggested || "drop"}`));
  if (!contradicts(photo)) return;
  $("others").hidden = false;
  $("copies").append(...copies.get(photo.picture).map(copy => {
    const made = element("figure");
    made.append(image(copy), element("figcaption", copy.decision ? `${copy.given}, decided ${copy.decision}` : copy.given));
    return made;
  }));
}

function explain(photo) {
  const people = Math.round(100 * photo.quality);
  $("why").textContent = `${WHY[photo.reason](photo)} Quality of the given label: ${photo.quality.toFixed(2)}, ` +
    `so ${people} of 100 people would call this ${photo.given}.`;
  $("bars").append(...classes.map((name, k) => {
    const made = element("li"), bar = element("meter");
    bar.max = 100; bar.value = photo.shares[k];
    bar.setAttribute("aria-label", name);
    const role = name === photo.given ? "given" : name === photo.suggested ? "suggested" : "";
    made.append(element("span", name), bar, element("span", `${photo.shares[k]} %`, "percent"), element("span", role));
    return made;
  }));
}
