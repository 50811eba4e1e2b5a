// The case that is open: fetched whole when it is opened, and afterwards only what is new or may have changed.
import { act, get } from "./desk_api.js";
import { drawActions } from "./desk_actions.js";
import * as composer from "./desk_composer.js";
import { drawDetails } from "./desk_details.js";
import { at, icon, keyed, make, words } from "./desk_dom.js";
import { drawLines, scrollTo } from "./desk_lines.js";
import { paced } from "./desk_live.js";
import { facts, signs } from "./desk_row.js";
import { isMine, state } from "./desk_state.js";
import { announce, failed, told as done } from "./desk_toast.js";
import { dayAndClock, named, onDay, people, short, tick, who } from "./desk_words.js";

const MOST_LINES = 500; // what one answer of the API holds
const WATCHED = 20; // lines at the end whose delivery the API watches
const HEARTBEAT = 25_000; // milliseconds
const AWAY = 300_000; // without touching anything for this long, a coach is not looking any more
const TYPING = 6000;

let told = 0; // position up to which "seen" was told
let typingTimer = null;
let activeAt = Date.now();
let asked = 0; // number of the last question to the API, and of the last answer that was drawn
let drawn = 0;

export async function open(key) {
  if (state.key === key && state.shown) return focus();
  state.key = key;
  state.shown = null;
  told = 0;
  at("rooms").dataset.open = "yes";
  at("nothing").hidden = true;
  at("case").hidden = false;
  title(
    Object.values(state.lists)
      .flat()
      .find((one) => one.key === key),
  );
  for (const part of ["case-chips", "actions", "standing", "presence", "details"]) at(part).replaceChildren();
  keyed(at("lines"), [], String, String);
  composer.hide();
  focus();
  await refresh();
}

export function close() {
  composer.keep();
  state.key = null;
  state.shown = null;
  at("rooms").dataset.open = "no";
  at("case").hidden = true;
  at("nothing").hidden = false;
}

export const focus = () => at("case-title").focus();

// Everything anew: after reconnecting, and when lines may have been changed or wiped.
export const refresh = () => fetchCase(true);

// After a sign that something happened: new lines, and receipts for lines that were not read yet.
export const update = paced(() => fetchCase(false));

async function fetchCase(whole) {
  const key = state.key;
  if (!key) return;
  const before = state.shown;
  const turn = ++asked;
  try {
    const found = await fetchLines(key, whole ? [] : (before?.lines ?? []));
    if (state.key !== key || turn < drawn) return; // another case was opened, or something newer came
    drawn = turn;
    if (before && before.case.state !== found.case.state && !whole) return void refresh();
    state.shown = found;
    draw(before, found);
    seen();
  } catch (problem) {
    if (state.key !== key || problem.offline) return;
    if (problem.status === 404 && before) return leave();
    failed(problem);
    if (!before) at("case-title").textContent = "Dit gesprek kan nu niet open";
  }
}

function leave() {
  if (state.acting !== state.key) done("Dit gesprek is niet meer van jouw team.");
  location.hash = "/";
}

async function fetchLines(key, old) {
  const path = `cases/${encodeURIComponent(key)}`;
  const after = settled(old);
  const found = await get(after ? `${path}?after=${after}` : path);
  const lines = [...old.filter((line) => line.position <= after), ...found.lines];
  let last = found.lines;
  while (last.length >= MOST_LINES) {
    last = (await get(`${path}?after=${last.at(-1).position}`)).lines;
    lines.push(...last);
  }
  return { ...found, lines };
}

// Up to here nothing changes any more: the first line whose delivery may still change comes after it.
function settled(lines) {
  const last = lines.at(-1)?.position ?? 0;
  const open = lines.find((line) => line.author === "coach" && line.delivery && line.delivery.status !== "read");
  return open ? Math.max(0, open.position - 1, last - WATCHED) : last;
}

function draw(before, { case: found, lines, notes, viewers }) {
  title(found);
  at("case-chips").replaceChildren(signs(found), ...facts(found));
  at("standing").replaceChildren(...standing(found));
  at("standing").className = `standing ${found.state} ${isMine(found) ? "mine" : ""}`;
  drawActions(found, refresh);
  drawDetails(found);
  drawLines(found, lines, notes, before);
  composer.draw(found, { refresh, update });
  viewing(viewers ?? []);
  tick();
  if (before) sayNew(found, before.lines, lines);
  else scrollTo(found.unread);
}

function title(found) {
  const name = found ? words(who(found), null, "name") : "Gesprek laden …";
  at("case-title").replaceChildren(name, make("span", { class: "about", text: found?.topic_title ?? "" }));
}

function standing(found) {
  if (found.state === "closed") {
    const how = named("outcome", found.outcome);
    return [
      icon("check"),
      make("span", { text: `Afgerond ${found.closed_at ? onDay(found.closed_at) : ""}${how && `: ${how}`}` }),
    ];
  }
  if (found.state === "waiting") {
    const since = found.waiting_since ?? found.created_at;
    const due = found.due_at && `. Neem het over vóór ${dayAndClock(found.due_at)}`;
    const time = make("time", { "data-since": since, datetime: since });
    return [icon("clock"), make("span", {}, "Wacht op een coach: ", time, found.due_at && !found.overdue ? due : "")];
  }
  if (isMine(found)) return [icon("coach"), make("span", { text: "Dit gesprek is van jou. De assistent is stil." })];
  return [
    icon("coach"),
    make("span", {
      text: `${found.coach?.name ?? "Een collega"} heeft dit gesprek. Je kunt meelezen en een notitie schrijven.`,
    }),
  ];
}

function sayNew(found, before, lines) {
  const last = before.at(-1)?.position ?? 0;
  for (const line of lines.filter((one) => one.position > last && one.author === "person")) {
    announce(`Nieuw bericht van ${short(found)}: ${line.text}`);
  }
}

// "Deniz kijkt ook mee" and "Deniz typt".
export function viewing(names) {
  const others = names.filter((name) => name !== state.me.name);
  const text = others.length && `${people(others)} ${others.length > 1 ? "kijken" : "kijkt"} ook mee`;
  presence("viewing", text, "eye");
}

export function typing(name) {
  if (name === state.me.name || !state.shown) return;
  const person = !name || name === "person";
  presence("typing", `${person ? who(state.shown.case) : name} typt …`, "more");
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => presence("typing", "", "more"), TYPING);
}

function presence(kind, text, sign) {
  const old = at("presence").querySelector(`.${kind}`);
  if (old?.textContent === text) return;
  old?.remove();
  if (text) at("presence").append(make("span", { class: kind }, icon(sign), make("span", { text, dir: "auto" })));
}

// Tells what this coach has seen; a page in the background has seen nothing.
function seen() {
  const last = state.shown?.lines.at(-1)?.position ?? 0;
  if (document.hidden || last <= told) return;
  told = last;
  act(state.key, "seen", { position: last }).catch(() => (told = 0)); // tried again with the next heartbeat
}

// Tells colleagues that this coach is still here; somebody who left the room is not, and is logged out in time.
function look() {
  if (Date.now() - activeAt > AWAY) return;
  told = 0;
  seen();
}

export function setup() {
  at("back").append(icon("back"), make("span", { text: "Lijst" }));
  setInterval(look, HEARTBEAT);
  document.addEventListener("visibilitychange", look);
  for (const sign of ["pointerdown", "pointermove", "keydown"]) {
    document.addEventListener(sign, () => (activeAt = Date.now()), { passive: true });
  }
}
