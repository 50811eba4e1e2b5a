// What a coach may do with a case now, as buttons above the talk. What is possible is decided by the API; a lost race
// comes back as a kind sentence.
import { act } from "./desk_api.js";
import { ask, choices, chosen } from "./desk_dialog.js";
import { at, button, make } from "./desk_dom.js";
import { menu } from "./desk_menu.js";
import { passOn } from "./desk_pass_on.js";
import * as queue from "./desk_queue.js";
import { isMine, isSnoozed, state } from "./desk_state.js";
import { failed, told } from "./desk_toast.js";
import { dayAndClock, short, starting } from "./desk_words.js";

let mark = "";
let refresh = null; // fetches the open case again

export function drawActions(found, again) {
  refresh = again;
  const now = [found.key, found.state, isMine(found), isSnoozed(found)].join();
  if (now === mark && at("actions").childElementCount) return;
  mark = now;
  const focused = at("actions").contains(document.activeElement);
  at("actions").replaceChildren(...actionsFor(found));
  if (focused) at("case-title").focus(); // the button under it is gone
}

function actionsFor(found) {
  const details = button("Gegevens", "info", toggleDetails, {
    id: "show-details",
    "aria-expanded": "false",
    "aria-controls": "details",
  });
  if (found.state === "closed")
    return [button("Heropen", "take", () => reopen(found), { class: "main", "data-key": "n" }), details];
  if (found.state === "waiting") {
    return [
      button("Neem over", "take", () => take(found), { class: "main", "data-key": "n" }),
      button("Geef door", "forward", () => passOn(state.shown.case, done), { "data-key": "g" }),
      button("Sluit af", "check", () => close(found), { "data-key": "x" }),
      details,
    ];
  }
  if (!isMine(found)) return [details];
  return [
    button("Sluit af", "check", () => close(found), { "data-key": "x" }),
    button("Geef door", "forward", () => passOn(state.shown.case, done), { "data-key": "g" }),
    button("Later", "later", () => later(found), { "data-key": "l" }),
    menu("Meer", "more", [
      ["Terug in de wachtrij", "queue", () => giveBack(found)],
      ["Terug naar de assistent", "robot", () => handBack(found)],
    ]),
    details,
  ];
}

// Does it, says so, and shows what is true now, also when somebody else was first.
async function done(found, action, body, text) {
  state.acting = found.key;
  let leaving = false;
  try {
    await act(found.key, action, body);
    told(text);
    leaving = action === "move"; // it is another team's now
  } finally {
    state.acting = null;
    queue.refresh();
    if (leaving) location.hash = "/";
    else if (state.key === found.key) await refresh();
  }
}

const quietly = (work) => work.catch(failed);

function take(found) {
  return quietly(
    done(found, "take", {}, `Je hebt het gesprek overgenomen. ${starting(found)} leest dat jij er bent.`).then(() =>
      at("text")?.focus(),
    ),
  );
}

const reopen = (found) =>
  quietly(done(found, "reopen", {}, `Het gesprek is weer van jou. ${starting(found)} leest dat jij er bent.`));

function close(found) {
  const rows = state.me.outcomes.map(({ code, title }) => ({ value: code, title }));
  const hears =
    found.state === "waiting"
      ? `${starting(found)} leest dat de aanvraag gesloten is, en dat die weer open kan.`
      : `${starting(found)} leest dat het gesprek klaar is en kan zeggen of het hielp. ` +
        "Daarna antwoordt de assistent weer.";
  const dialog = ask({
    title: "Gesprek afsluiten",
    body: [choices("outcome", "Hoe liep het af?", rows), make("p", { class: "soft", text: hears })],
    confirm: "Sluit af",
    submit: async () => {
      const outcome = chosen(dialog, "outcome");
      if (!outcome) throw new Error("Kies eerst hoe het afliep.");
      await done(found, "close", { outcome }, "Het gesprek is afgesloten.");
    },
  });
}

function giveBack(found) {
  const text =
    `Een andere coach kan dit gesprek dan nemen. ${starting(found)} leest dat jij nu niet verder kunt ` +
    "en dat er niets verloren gaat.";
  ask({
    title: "Terug in de wachtrij",
    body: [make("p", { text })],
    confirm: "Zet terug",
    submit: () => done(found, "give_back", {}, "Het gesprek staat weer in de wachtrij."),
  });
}

function handBack(found) {
  const text =
    `De assistent gaat verder en dit gesprek is afgerond. ${starting(found)} leest dat jij weggaat ` +
    "en kan zeggen of het hielp.";
  ask({
    title: "Terug naar de assistent",
    body: [make("p", { text })],
    confirm: "Geef terug",
    submit: () => done(found, "hand_back", {}, "De assistent is er weer."),
  });
}

function later(found) {
  const [hour, morning] = [inAnHour(), tomorrow()];
  const field = make("input", { type: "datetime-local", id: "until", min: local(new Date()), value: local(morning) });
  const other = make("p", { class: "until" }, make("label", { for: "until", text: "Dag en tijd" }), field);
  const dialog = ask({
    title: "Later verder",
    body: [
      choices("later", "Wanneer wil je dit gesprek weer zien?", [
        { value: hour.toISOString(), title: "Over 1 uur", below: dayAndClock(hour), checked: true },
        { value: morning.toISOString(), title: "Morgen om 9:00" },
        { value: "other", title: "Kies zelf" },
      ]),
      other,
      make("p", { class: "soft", text: `Schrijft ${short(found)} eerder, dan zie je het gesprek meteen weer.` }),
    ],
    confirm: "Leg weg",
    submit: async () => {
      const until = chosen(dialog, "later") === "other" ? new Date(field.value) : new Date(chosen(dialog, "later"));
      if (!(until > new Date())) throw new Error("Kies een moment dat nog moet komen.");
      await done(found, "snooze", { until: until.toISOString() }, `Je ziet dit gesprek weer: ${dayAndClock(until)}.`);
    },
  });
  field.addEventListener("focus", () => (dialog.querySelector('input[value="other"]').checked = true));
}

const inAnHour = () => new Date(Date.now() + 3_600_000);

function tomorrow() {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  day.setHours(9, 0, 0, 0);
  return day;
}

// As <input type="datetime-local"> wants it: the clock on the wall, without a zone.
const local = (date) => new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export function toggleDetails() {
  const shown = at("case").classList.toggle("with-details");
  at("show-details")?.setAttribute("aria-expanded", String(shown));
  if (shown) at("details").scrollIntoView({ block: "nearest" });
}
