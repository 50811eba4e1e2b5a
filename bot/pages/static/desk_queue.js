// The list of cases: three tabs, in the order the API gives, kept current while it is looked at.
import { get } from "./desk_api.js";
import { at, keyed, make } from "./desk_dom.js";
import { paced } from "./desk_live.js";
import { changed, count } from "./desk_notify.js";
import { row } from "./desk_row.js";
import { isMine, isSnoozed, isWaiting, state } from "./desk_state.js";
import { failed } from "./desk_toast.js";
import { named, tick, who } from "./desk_words.js";

const VIEWS = ["open", "mine", "closed"];
const EMPTY = {
  open: "Niemand wacht nu. Je krijgt een seintje als er iemand bij komt.",
  mine: "Je hebt nu geen gesprekken. Kies er een bij ‘Open’ en neem het over.",
  closed: "Er is nog geen gesprek afgerond.",
  nowhere: "Niets gevonden. Probeer een ander woord, of maak het zoekveld leeg.",
  loading: "Gesprekken laden …",
};
const GROUPS = [
  ["waiting", "Wacht op een coach", isWaiting],
  ["taken", "In gesprek", (found) => found.state === "taken" && !isSnoozed(found)],
  ["later", "Later", (found) => found.state !== "closed" && isSnoozed(found)],
  ["closed", "Afgerond", (found) => found.state === "closed"],
];

export const refresh = paced(fetchLists, 700);
let loaded = false;

async function fetchLists() {
  const view = state.view;
  try {
    const [open, other] = await Promise.all([
      get("queue?view=open"),
      view === "open" ? null : get(`queue?view=${view}`),
    ]);
    if (loaded) changed(state.lists.open, open.cases);
    state.lists.open = open.cases;
    if (other) state.lists[view] = other.cases;
    loaded = true;
  } catch (problem) {
    if (!problem.offline) failed(problem); // without a line the bar says so
  }
  show();
}

// One case as it is now (null: not ours to see any more), from the event itself: no list is fetched for it.
export function patch(key, found) {
  const before = state.lists.open;
  const open = before.filter((one) => one.key !== key);
  if (found && found.state !== "closed") open.push(found);
  state.lists.open = open.sort(inOrder);
  changed(before, state.lists.open);
  state.lists.mine = state.lists.open.filter(isMine);
  const closed = state.lists.closed.filter((one) => one.key !== key);
  state.lists.closed = found?.state === "closed" ? [found, ...closed] : closed;
  show();
}

// The order of the API: who waits, what is urgent, who waits longest; then the talks; what is for later last.
function inOrder(one, other) {
  const rank = (found) => (isSnoozed(found) ? 2 : isWaiting(found) ? 0 : 1);
  const since = (found) => found.waiting_since ?? "9999"; // nobody waits: last
  return rank(one) - rank(other) || other.urgent - one.urgent || since(one).localeCompare(since(other));
}

export function show() {
  const found = matching(state.lists[state.view]);
  for (const [name, title, belongs] of GROUPS) {
    const cases = found.filter(belongs);
    const { section, list, heading } = group(name);
    heading.textContent = `${title} (${cases.length})`;
    section.hidden = !cases.length;
    keyed(
      list,
      cases,
      (one) => one.key,
      row,
      (one) => JSON.stringify([one, one.key === state.key]),
    );
  }
  at("empty").hidden = found.length > 0;
  at("empty").textContent = emptyText();
  counts();
  tick();
}

function emptyText() {
  if (!loaded) return EMPTY.loading;
  return at("find").value.trim() ? EMPTY.nowhere : EMPTY[state.view];
}

function matching(cases) {
  const wanted = at("find").value.trim().toLocaleLowerCase("nl").split(/\s+/).filter(Boolean);
  if (!wanted.length) return cases;
  return cases.filter((one) => {
    const text = [
      who(one),
      one.topic_title,
      named("language", one.language),
      named("area", one.area),
      named("age", one.age_group),
      named("channel", one.channel),
      one.coach?.name,
      one.team?.name,
      one.urgent ? "dringend" : "",
    ]
      .join(" ")
      .toLocaleLowerCase("nl");
    return wanted.every((word) => text.includes(word));
  });
}

const groups = new Map();

function group(name) {
  if (!groups.has(name)) {
    const heading = make("h2", { id: `group-${name}` });
    const list = make("ul", { "aria-labelledby": heading.id });
    const section = make("section", { class: `group ${name}` }, heading, list);
    at("groups").append(section);
    groups.set(name, { section, list, heading });
  }
  return groups.get(name);
}

function counts() {
  const open = state.lists.open;
  const mine = open.filter(isMine);
  const unread = mine.reduce((sum, one) => sum + one.unread, 0);
  tabCount("open", open.filter(isWaiting).length, "wachten");
  tabCount("mine", mine.length, unread ? `gesprekken, ${unread} ongelezen` : "gesprekken", unread > 0);
  count(open.filter(isWaiting).length + mine.filter((one) => one.unread > 0).length);
}

function tabCount(view, number, what, loud = false) {
  const shown = at(`tab-${view}`).querySelector("b");
  if (shown.dataset.number === `${number} ${what}`) return;
  shown.dataset.number = `${number} ${what}`;
  shown.className = loud ? "loud" : "";
  shown.replaceChildren(...(number ? [String(number), make("span", { class: "unseen", text: ` ${what}` })] : []));
}

export function choose(view, focus = false) {
  state.view = view;
  for (const name of VIEWS) {
    const tab = at(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === view));
    tab.tabIndex = name === view ? 0 : -1;
    if (name === view && focus) tab.focus();
  }
  at("list").setAttribute("aria-labelledby", `tab-${view}`);
  at("list").scrollTop = 0;
  show();
  refresh();
}

// The key of the case before (-1) or after (1) the one that is open; null at either end.
export function neighbour(step) {
  const links = [...at("groups").querySelectorAll("section:not([hidden]) a")];
  const here = links.findIndex((link) => link.dataset.key === state.key);
  const wanted = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  return links[wanted]?.dataset.key ?? null;
}

export function focusRow(key) {
  const links = [...at("groups").querySelectorAll("section:not([hidden]) a")];
  (links.find((link) => link.dataset.key === key) ?? links[0] ?? at("list")).focus();
}

export function setup() {
  for (const view of VIEWS) at(`tab-${view}`).addEventListener("click", () => choose(view));
  document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    const here = VIEWS.indexOf(state.view);
    if (event.key in steps) choose(VIEWS[(here + steps[event.key] + VIEWS.length) % VIEWS.length], true);
    else if (event.key === "Home") choose(VIEWS[0], true);
    else if (event.key === "End") choose(VIEWS.at(-1), true);
    else return;
    event.preventDefault();
  });
  at("find").addEventListener("input", show);
  show();
}
