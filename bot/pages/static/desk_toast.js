// Short messages in a corner: what was done, and what went wrong. Problems stay until they are closed.
import { at, button, icon, make } from "./desk_dom.js";

const SECONDS = 6;

export function told(text) {
  const shown = place("told", "check", text);
  setTimeout(() => shown.remove(), SECONDS * 1000);
}

export function failed(problem) {
  const text = problem?.message ?? String(problem);
  for (const old of at("toasts").querySelectorAll(".failed")) if (old.dataset.text === text) old.remove();
  place("failed", problem?.status === 409 ? "info" : "alert", text).dataset.text = text;
}

// For screen readers only: what changed without anybody pressing something.
export function announce(text) {
  const line = make("span", { text });
  at("announce").append(line);
  setTimeout(() => line.remove(), 10_000);
}

function place(kind, sign, text) {
  const close = button("", "cross", () => shown.remove(), { class: "plain icon-only", "aria-label": "Sluit melding" });
  const role = kind === "failed" ? "alert" : "status";
  const shown = make("div", { class: `toast ${kind}` }, icon(sign), make("p", { role, text }), close);
  at("toasts").append(shown);
  return shown;
}
