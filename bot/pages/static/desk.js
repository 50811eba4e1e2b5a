// The desk: who is here, the list on one side and the open case on the other, and what happens elsewhere, live.
import { me } from "./desk_api.js";
import * as opened from "./desk_case.js";
import * as composer from "./desk_composer.js";
import { at, icon, make } from "./desk_dom.js";
import * as drafts from "./desk_drafts.js";
import * as keys from "./desk_keys.js";
import * as lines from "./desk_lines.js";
import { listen } from "./desk_live.js";
import * as notify from "./desk_notify.js";
import * as queue from "./desk_queue.js";
import { state } from "./desk_state.js";
import { announce } from "./desk_toast.js";
import { tick } from "./desk_words.js";

const TICK = 5000; // milliseconds
const POLL = 60_000; // what no event tells: "later" is over, a promise has passed
const AGAIN = 3000;

let connected = null;

// The address says which case is open: #/KEY. So the back button of a phone works, and a case can be bookmarked.
const wanted = () => decodeURIComponent(location.hash.match(/^#\/(.+)$/)?.[1] ?? "") || null;

function go(key) {
  if (key !== wanted()) location.hash = key ? `/${key}` : "/";
  route(); // at once: the next key may be pressed before the browser tells of the new address
}

async function route() {
  const key = wanted();
  if (key === state.key) return;
  if (state.key) composer.keep();
  if (key) {
    const done = opened.open(key);
    queue.show();
    await done;
  } else {
    const last = state.key;
    opened.close();
    queue.show();
    queue.focusRow(last);
  }
}

function found() {
  if (connected === false) announce("Er is weer verbinding.");
  if (connected !== null) {
    queue.refresh(); // whatever was missed meanwhile
    opened.refresh();
  }
  connected = true;
  at("online").replaceChildren();
}

function lost(why) {
  if (connected === false && !why) return;
  if (connected !== false) announce(why || "Er is geen verbinding.");
  connected = false;
  at("online").replaceChildren(
    icon("alert"),
    make("span", { text: why || "Geen verbinding. We proberen het steeds opnieuw; wat je typt blijft staan." }),
  );
}

async function start() {
  try {
    state.me = await me();
  } catch {
    lost();
    setTimeout(start, AGAIN);
    return;
  }
  at("me").textContent = `${state.me.name}, ${state.me.team.name}`;
  hours();
  drafts.clean();
  notify.setup(go);
  queue.setup();
  lines.setup(opened.refresh);
  opened.setup();
  keys.setup(go);
  at("nothing").append(
    icon("chat"),
    make("p", { text: "Kies links een gesprek. Wat dringend is staat bovenaan, daarna wie het langst wacht." }),
  );
  at("logout").addEventListener("submit", () => drafts.clean(true));
  addEventListener("hashchange", route);
  setInterval(tick, TICK);
  setInterval(renew, POLL);
  listen({
    found,
    lost,
    case: happened,
    typing: ({ key, who }) => key === state.key && opened.typing(who),
    viewers: ({ key, names }) => key === state.key && opened.viewing(names),
  });
  connected = true;
  await queue.refresh();
  route();
}

function happened({ key, case: found }) {
  if (found === undefined) queue.refresh();
  else queue.patch(key, found);
  if (key === state.key) opened.update();
}

async function renew() {
  queue.refresh();
  if (state.shown) composer.draw(state.shown.case); // WhatsApp may have closed
  state.me = await me().catch(() => state.me);
  hours();
}

function hours() {
  at("hours").textContent = state.me.hours_open ? "Het team is open" : "Het team is nu dicht";
  at("hours").className = `hours ${state.me.hours_open ? "open" : ""}`;
}

start();
