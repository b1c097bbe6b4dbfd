// Which key was meant.

// Where a key types no Latin letter or digit (Cyrillic, the upper row in France), its place on the keyboard counts;
// Caps Lock does not.
export function keyOf(event) {
  const typed = /^[a-z1-9]$/i.exec(event.key) || /^(?:Key|Digit)([A-Z1-9])$/.exec(event.code);
  if (!typed) return event.key;
  const key = typed[typed.length - 1].toUpperCase();
  return event.shiftKey && /[A-Z]/.test(key) ? `Shift ${key}` : key;
}
