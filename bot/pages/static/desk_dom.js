// Making and changing what is on the page. Texts of people only ever become text nodes here, never markup.
const SVG = "http://www.w3.org/2000/svg";

export const at = (id) => document.getElementById(id);

// make("p", { class: "soft", text: "Hallo", hidden: true, on: { click } }, child, ...); false and null are left out.
export function make(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") made.className = value;
    else if (key === "text") made.textContent = value;
    else if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const PATHS = {
  alert: "M12 4 21.5 20h-19ZM12 10v4.5M12 17.2v.1",
  back: "M15 5l-7 7 7 7",
  bell: "M6 16v-5a6 6 0 0 1 12 0v5l2 2H4ZM10 21h4",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6Z",
  card: "M4 5h16v14H4ZM8 10h8M8 14h5",
  chat: "M4 5h16v11H9l-5 4Z",
  check: "M5 12.5l4.5 4.5L19 7",
  checks: "M2 12.5 6.5 17 15 7M12 16l1 1 9-10",
  clock: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM12 8v4.5l3 2",
  coach: "M4 14v-2a8 8 0 0 1 16 0v2M4 14h3v5H5.5q-1.5 0-1.5-1.5ZM20 14h-3v5h1.5q1.5 0 1.5-1.5Z",
  cross: "M6 6l12 12M18 6 6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z",
  file: "M6 3h8l4 4v14H6ZM14 3v4h4",
  forward: "M4 19c0-7 5-10 13-10M13 5l4.5 4-4.5 4",
  help: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18ZM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.8.4-1 .9-1 1.7M12 16.9v.1",
  info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18ZM12 11v5M12 7.9v.1",
  later: "M20 14a8 8 0 1 1-9.5-10 6.5 6.5 0 0 0 9.5 10Z",
  more: "M5 12h.1M12 12h.1M19 12h.1",
  note: "M5 4h14v11l-5 5H5ZM14 20v-5h5",
  person: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4.5 20c.8-4 3.7-5.5 7.5-5.5s6.7 1.5 7.5 5.5",
  phone: "M6 3.5h3.5l2 5-2.5 1.7a12 12 0 0 0 4.8 4.8l1.7-2.5 5 2V18q0 2.5-2.5 2.5A15 15 0 0 1 3.5 6Q3.5 3.5 6 3.5Z",
  pin: "M12 21s7-6.5 7-11.5a7 7 0 0 0-14 0C5 14.5 12 21 12 21ZM12 7.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z",
  queue: "M4 13l3-8h10l3 8v6H4ZM4 13h5l1 3h4l1-3h5",
  robot: "M5 9h14v10H5ZM12 5v4M9.5 13.5v.5M14.5 13.5v.5",
  send: "M4 12 20 4l-5 16-3.5-6.5Z",
  take: "M12 4v10M7.5 10l4.5 4.5 4.5-4.5M5 19h14",
};

export function icon(name) {
  const svg = drawn("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" });
  svg.append(drawn("path", { d: PATHS[name] }));
  return svg;
}

export function button(text, sign, act, options = {}) {
  const label = make("span", { text });
  return make("button", { type: "button", ...options, on: { click: act } }, sign && icon(sign), label);
}

// A word in a small frame; `kind` colours it, and the word (with its icon) says the same.
export function chip(text, kind = "", sign = null) {
  return make("span", { class: `chip ${kind}` }, sign && icon(sign), make("span", { text }));
}

// What a person wrote or reads: its own direction, and its language for screen readers and fonts.
export function words(text, language, className) {
  return make("span", { class: className, dir: "auto", lang: language, text });
}

const known = new WeakMap();

// Makes the children of `parent` the drawn `items`, in order. An item that did not change keeps its node, and focus
// stays where it was, so that a live list never pulls the ground from under a keyboard or a screen reader.
export function keyed(parent, items, keyOf, draw, markOf = JSON.stringify) {
  const before = known.get(parent) ?? new Map();
  const after = new Map();
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let again = focused;
  for (const item of items) {
    const key = keyOf(item),
      mark = markOf(item),
      old = before.get(key);
    const node = old?.mark === mark ? old.node : draw(item);
    if (old && old.node !== node && old.node.contains(focused)) again = node.querySelector("a, button") ?? node;
    after.set(key, { mark, node });
  }
  [...after.values()].forEach(({ node }, place) => {
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  while (parent.children.length > after.size) parent.lastElementChild.remove();
  known.set(parent, after);
  if (again && again.isConnected && document.activeElement !== again) again.focus({ preventScroll: true });
}
