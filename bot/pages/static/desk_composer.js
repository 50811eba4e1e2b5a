// Writing: to the person, or a note that only colleagues see. What is typed survives a reload, per case and coach.
import { openCards } from "./desk_cards.js";
import { at, button, icon, make } from "./desk_dom.js";
import * as drafts from "./desk_drafts.js";
import { openQuick } from "./desk_quick.js";
import { deliver, typing } from "./desk_sending.js";
import { isMine, state } from "./desk_state.js";
import { failed, told } from "./desk_toast.js";
import { isShut, isTemplated, windowLine } from "./desk_window.js";
import { named, short, starting, tick } from "./desk_words.js";

const MOST = 4096; // characters of one message

let mode = "message"; // or "note"
let busy = false;
let mark = "";
let again = null; // { refresh, update }: fetch the open case, whole or what is new

export function hide() {
  at("composer").replaceChildren();
  mark = "";
}

export function draw(found, fetches = again) {
  again = fetches;
  const who = [found.language, found.first_name];
  const marks = [found.key, found.state, isMine(found), isShut(found), found.window_closes_at, isTemplated(found), who];
  const now = marks.join();
  if (now === mark) return;
  keep();
  const focused = at("composer").contains(document.activeElement) && document.activeElement.id;
  const turned = !mark.startsWith([found.key, found.state, canWrite(found)].join());
  mark = now;
  if (turned) mode = canWrite(found) ? "message" : "note";
  build(found);
  if (focused) at(focused)?.focus();
}

const canWrite = (found) => isMine(found);

function build(found) {
  at("composer").className = `composer ${mode}`;
  at("composer").replaceChildren(
    ...[canWrite(found) && modes(found), mode === "message" && windowLine(found, again.refresh), form(found)].filter(
      Boolean,
    ),
  );
  const box = at("text");
  box.value = drafts.read(found.key)[mode] ?? "";
  sized();
  tick();
}

function modes(found) {
  const one = (name, text, sign) =>
    button(text, sign, () => change(name), {
      "aria-pressed": String(mode === name),
      class: `mode ${name}`,
      id: `mode-${name}`,
    });
  const note = one("note", "Notitie", "note");
  note.append(make("span", { class: "more", text: "(alleen voor collega’s)" }));
  return make(
    "div",
    { class: "modes", role: "group", "aria-label": "Wat schrijf je" },
    one("message", `Bericht aan ${short(found)}`, "chat"),
    note,
  );
}

export function change(to) {
  const found = state.shown?.case;
  if (!found || (to === "message" && !canWrite(found))) return at("text")?.focus();
  keep();
  mode = to;
  build(found);
  at("text").focus();
}

function form(found) {
  const note = mode === "note";
  const shut = !note && isShut(found);
  const hint = note
    ? "Alleen voor collega’s. De persoon ziet dit nooit."
    : `${starting(found)} leest: Coach ${state.me.name}`;
  const below = make(
    "div",
    { class: "write-below" },
    ...(note ? [] : tools(found, shut)),
    make("span", { class: "hint", id: "hint", text: hint }),
    make("span", { class: "count", id: "count", role: "status" }),
    sendButton(note, shut),
  );
  const made = make("form", { class: "write" }, textBox(found, note, shut), below);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    write(found.key);
  });
  return made;
}

function textBox(found, note, shut) {
  const box = make("textarea", {
    id: "text",
    rows: 2,
    dir: "auto",
    autocomplete: "off",
    "aria-label": note ? "Notitie, alleen voor collega’s" : `Bericht aan ${short(found)}`,
    "aria-describedby": "hint count",
    disabled: shut,
    placeholder: placeholder(found, note, shut),
  });
  box.addEventListener("input", () => {
    sized();
    keep();
    if (!note) typing(found.key);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    box.form.requestSubmit();
  });
  return box;
}

function tools(found, disabled) {
  const options = { class: "tool", disabled };
  return [
    button("Antwoordkaart", "card", () => openCards(found, sent), { ...options, "data-key": "a" }),
    button("Snel antwoord", "bolt", () => openQuick(found, sent), { ...options, "data-key": "s" }),
  ];
}

function sendButton(note, disabled) {
  const keys = { title: "Ctrl + Enter", "aria-keyshortcuts": "Control+Enter" };
  const text = make("span", { text: note ? "Bewaar notitie" : "Verstuur" });
  return make(
    "button",
    { type: "submit", id: "send", class: "main", disabled, ...keys },
    icon(note ? "note" : "send"),
    text,
  );
}

function placeholder(found, note, shut) {
  if (shut) return "Vrij schrijven kan nu niet.";
  if (note)
    return canWrite(found) || found.state === "closed"
      ? "Wat moeten je collega’s weten?"
      : "Schrijf een notitie. Neem het gesprek over om zelf te antwoorden.";
  return found.language === "nl"
    ? "Schrijf je bericht …"
    : `Schrijf je bericht … (liefst in het ${named("language", found.language)}; een antwoordkaart vertaalt voor je)`;
}

async function write(key) {
  const text = at("text").value.trim();
  if (!text || [...text].length > MOST || busy) return;
  const as = mode;
  setBusy(true);
  try {
    await deliver(key, as, text);
    drafts.forget(key, as);
    if (state.key === key && mode === as && at("text").value.trim() === text) at("text").value = "";
    sent(as === "note" ? "De notitie is bewaard." : null);
  } catch (problem) {
    failed(problem);
    if (!problem.offline) again.refresh(); // the case may be somebody else's now
  } finally {
    setBusy(false);
    at("text")?.focus();
  }
}

function sent(text) {
  if (text) told(text);
  again.update().then(() => (at("scroll").scrollTop = at("scroll").scrollHeight));
}

function setBusy(now) {
  busy = now;
  at("send")?.setAttribute("aria-busy", String(now));
  sized();
}

export function keep() {
  const box = at("text");
  const key = mark.split(",")[0];
  if (box && key && !box.disabled) drafts.write(key, mode, box.value);
}

// The box grows with the text, and what is left is counted near the end.
function sized() {
  const box = at("text");
  if (!box) return;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
  const length = [...box.value].length;
  const over = length > MOST;
  at("count").textContent = over
    ? `${length - MOST} tekens te veel`
    : length > MOST - 500
      ? `${length} van ${MOST}`
      : "";
  at("count").classList.toggle("over", over);
  at("send").disabled = over || busy || box.disabled;
}
