// Sending what was written, exactly once, and the sign that somebody is writing.
import { act, fresh, get } from "./desk_api.js";
import { state } from "./desk_state.js";

const TYPING_EVERY = 4000; // milliseconds
let typedAt = 0;
const tried = new Map(); // "KEY message" -> { text, once } that was not confirmed yet

// `as` is "message" or "note". When the line broke while sending, look whether it arrived after all: nobody should
// read the same thing twice.
export async function deliver(key, as, text) {
  const name = `${key} ${as}`;
  if (tried.get(name)?.text !== text) tried.set(name, { text, once: fresh() });
  const last = state.shown.lines.at(-1)?.position ?? 0;
  const notes = state.shown.notes.length;
  try {
    await act(key, as === "note" ? "note" : "write", { text }, tried.get(name).once);
  } catch (problem) {
    if (!problem.offline) throw problem;
    const now = await get(`cases/${encodeURIComponent(key)}?after=${last}`).catch(() => null);
    const later = as === "note" ? now?.notes.slice(notes) : now?.lines;
    if (!later?.some((one) => one.coach === state.me.name && one.text === text.normalize("NFC"))) throw problem;
  }
  tried.delete(name);
}

export function typing(key) {
  if (Date.now() - typedAt < TYPING_EVERY) return;
  typedAt = Date.now();
  act(key, "typing").catch(() => {}); // a sign that may be missed
}
