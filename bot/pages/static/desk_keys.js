// Shortcuts: one letter, while no field has focus. They can be switched off, for whoever talks to the computer.
import { toggleDetails } from "./desk_actions.js";
import * as composer from "./desk_composer.js";
import { ask, isAsking } from "./desk_dialog.js";
import { at, icon, make } from "./desk_dom.js";
import * as queue from "./desk_queue.js";
import { state } from "./desk_state.js";

const OFF = "desk-keys-off";
const LIST = [
  ["j of k", "volgende of vorige gesprek"],
  ["1, 2, 3", "Open, Van mij, Afgerond"],
  ["/", "zoek in de lijst"],
  ["n", "neem over, of heropen"],
  ["r", "schrijf aan de persoon"],
  ["i", "schrijf een notitie voor collega’s"],
  ["a", "antwoordkaart"],
  ["s", "snel antwoord"],
  ["g", "geef door"],
  ["l", "later"],
  ["x", "sluit af"],
  ["d", "gegevens van de persoon"],
  ["Esc", "uit het tekstvak; nog eens: terug naar de lijst"],
  ["Ctrl + Enter", "verstuur (ook als sneltoetsen uit staan)"],
  ["?", "deze hulp"],
];

export function setup(go) {
  at("help").append(icon("help"));
  at("help").addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    if (isAsking() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches?.("input, textarea, select");
    if (event.key === "Escape") return escape(event, typing, go);
    if (typing || localStorage.getItem(OFF)) return;
    if (press(event.key, go)) event.preventDefault();
  });
}

function escape(event, typing, go) {
  if (typing && event.target.id === "text") return at("case-title").focus();
  if (typing || !state.key) return;
  const key = state.key;
  go(null);
  queue.focusRow(key);
}

function press(key, go) {
  const views = { 1: "open", 2: "mine", 3: "closed" };
  if (views[key]) queue.choose(views[key], true);
  else if (key === "j" || key === "k") {
    const next = queue.neighbour(key === "j" ? 1 : -1);
    if (next) go(next);
  } else if (key === "/") at("find").focus();
  else if (key === "?") help();
  else if (key === "r" && state.shown) composer.change("message");
  else if (key === "i" && state.shown) composer.change("note");
  else if (key === "d" && state.shown) toggleDetails();
  else if (state.shown && /^[a-z]$/.test(key)) {
    const wanted = at("case").querySelector(`button[data-key="${key}"]:not(:disabled)`);
    if (!wanted) return false;
    wanted.focus(); // where focus comes back to
    wanted.click();
  } else return false;
  return true;
}

function help() {
  const on = make("input", { type: "checkbox", id: "keys-on", checked: !localStorage.getItem(OFF) });
  on.addEventListener("change", () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")));
  ask({
    title: "Hulp en sneltoetsen",
    body: [
      make(
        "p",
        {},
        "Kies een gesprek, lees mee en neem het over. Wat dringend is gaat voor. Een notitie lezen alleen je collega’s. " +
          "Kom je er niet uit, vraag dan je teamleider.",
      ),
      make("p", { class: "check" }, on, make("label", { for: on.id, text: "Sneltoetsen aan" })),
      make(
        "dl",
        { class: "keys" },
        ...LIST.flatMap(([key, what]) => [make("dt", {}, make("kbd", { text: key })), make("dd", { text: what })]),
      ),
    ],
  });
}
