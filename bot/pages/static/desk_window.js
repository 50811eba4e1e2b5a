// WhatsApp takes free text for 24 hours after the person wrote: what is left of that, and the template afterwards.
import { act } from "./desk_api.js";
import { button, icon, make } from "./desk_dom.js";
import { failed, told } from "./desk_toast.js";
import { duration, moment, short } from "./desk_words.js";

const CLOSE_TO = 3_600_000; // milliseconds: in the last hour it is said louder
const sentFor = new Map(); // key -> the window_closes_at for which a template went out

export const isShut = (found) => Boolean(found.window_closes_at) && moment(found.window_closes_at) <= new Date();

export const isTemplated = (found) => sentFor.get(found.key) === found.window_closes_at;

// null on channels without such a limit. `again()` fetches the case after the template went out.
export function windowLine(found, again) {
  if (!found.window_closes_at) return null;
  return isShut(found) ? shut(found, again) : left(found);
}

function left(found) {
  const milliseconds = moment(found.window_closes_at) - Date.now();
  const time = make("time", {
    "data-until": found.window_closes_at,
    datetime: found.window_closes_at,
    text: duration(milliseconds, ""),
  });
  const kind = milliseconds < CLOSE_TO ? "close" : "";
  const text = make("span", {}, "WhatsApp: je kunt nog ", time, " vrij schrijven");
  return make("p", { class: `window ${kind}` }, icon("clock"), text);
}

function shut(found, again) {
  const sent = isTemplated(found);
  const text = sent
    ? `Het sjabloon is verstuurd. Zodra ${short(found)} antwoordt, kun je weer schrijven.`
    : `WhatsApp is dicht: ${short(found)} schreef meer dan 24 uur geleden. ` +
      "Stuur een sjabloon; na een antwoord kun je weer schrijven.";
  const send = button("Stuur sjabloon", "send", () => template(found, again), { class: "main", id: "template" });
  return make("p", { class: "window shut" }, icon("clock"), make("span", { text }), !sent && send);
}

async function template(found, again) {
  try {
    await act(found.key, "template");
    told("Het sjabloon is verstuurd.");
  } catch (problem) {
    failed(problem);
    if (problem.code !== "template_waits") return;
  }
  sentFor.set(found.key, found.window_closes_at);
  await again();
}
