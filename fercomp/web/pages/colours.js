// What hello said of colours, and which text can be read on them.

export const colours = { labels: {}, emotions: {} };

const channel = value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

// Black or white, whichever has more contrast (relative luminance as in WCAG 2.1): at least 4.5 on any colour.
export function textOn(colour) {
  const [r, g, b] = [1, 3, 5].map(i => channel(parseInt(colour.slice(i, i + 2), 16) / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
