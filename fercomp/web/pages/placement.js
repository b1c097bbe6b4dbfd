// Where the label of a face goes. annotate/drawing/placement.py does the same for photos and clips;
// tests/annotate/drawing/placements.json has what both answer.

const covers = ([left, top, right, bottom], others) =>
  others.some(([x1, y1, x2, y2]) => x1 < right && left < x2 && y1 < bottom && top < y2);

// The first of these places inside the picture that covers no other label and no face, else the first that covers no
// label, else the first of all: above the box, below, at its top or bottom; left or right. Rectangles are x1, y1, x2, y2.
export function placeLabel([wide, high], [x1, y1, x2, y2], [width, height], taken, faces) {
  const rows = [y1 - high, y2, y1, y2 - high].filter(y => y >= 0 && y <= height - high);
  if (!rows.length) rows.push(0);
  const columns = [x1, x2 - wide].map(x => Math.min(Math.max(x, 0), width - wide));
  const places = rows.flatMap(y => columns.map(x => [x, y, x + wide, y + high]));
  const free = places.filter(place => !covers(place, taken));
  return free.find(place => !covers(place, faces)) || free[0] || places[0];
}
