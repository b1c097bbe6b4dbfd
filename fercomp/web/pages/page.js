// What both pages use.

export const QUERY = location.search;  // with the secret of the address
export const $ = id => document.getElementById(id);

export function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// Only another text is set: the same one again would be read out again where somebody listens.
export function put(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}
