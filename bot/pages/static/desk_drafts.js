// Drafts in this browser, per coach and case: gone when sent, after a week, and when the coach logs out.
import { state } from "./desk_state.js";

const PREFIX = "desk-draft:";
const KEPT = 7 * 86_400_000; // milliseconds

const place = (key) => `${PREFIX}${state.me.id}:${key}`;

// { message, note, at } of a case; {} when nothing was typed.
export function read(key) {
  try {
    return JSON.parse(localStorage.getItem(place(key))) ?? {};
  } catch {
    return {};
  }
}

export function write(key, kind, text) {
  const kept = { ...read(key), [kind]: text || undefined, at: Date.now() };
  try {
    if (kept.message || kept.note) localStorage.setItem(place(key), JSON.stringify(kept));
    else localStorage.removeItem(place(key));
  } catch {
    // a full or forbidden storage: the text is still in the box
  }
}

export const forget = (key, kind) => write(key, kind, "");

export function clean(all = false) {
  for (const name of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
    let old = true;
    try {
      old = Date.now() - JSON.parse(localStorage.getItem(name)).at > KEPT;
    } catch {
      // unreadable: away with it
    }
    if (all || old) localStorage.removeItem(name);
  }
}
