// One case in the list: urgency by word and icon, who, what about, how long, and who is fit for it.
import { chip, icon, make, words } from "./desk_dom.js";
import { isMine, isSnoozed, state } from "./desk_state.js";
import { dayAndClock, named, people, who } from "./desk_words.js";

export function row(found) {
  const link = make(
    "a",
    {
      href: `#/${found.key}`,
      "data-key": found.key,
      class: `row ${found.urgent ? "urgent" : ""}`,
      "aria-current": found.key === state.key ? "true" : null,
    },
    make("span", { class: "row-who" }, words(who(found), null, "name"), unread(found), waiting(found)),
    make(
      "span",
      { class: "row-topic" },
      signs(found),
      make("span", { text: found.topic_title ?? "Onderwerp niet gekozen" }),
    ),
    make("span", { class: "chips" }, ...facts(found)),
    below(found),
  );
  return make("li", {}, link);
}

// Also above the open case: how urgent it is.
export function signs(found) {
  const open = found.state !== "closed";
  return make(
    "span",
    { class: "signs" },
    found.urgent && open && chip("Dringend", "danger", "alert"),
    found.overdue && open && chip("Te laat", "late", "clock"),
    found.wrote_again && chip("Schreef opnieuw", "fresh", "chat"),
    isSnoozed(found) && chip(`Later: ${dayAndClock(found.snoozed_until)}`, "", "later"),
  );
}

export function facts(found) {
  return [
    chip(named("language", found.language), "language"),
    found.area && chip(named("area", found.area)),
    found.age_group && chip(named("age", found.age_group)),
    chip(named("channel", found.channel)),
  ];
}

function waiting(found) {
  if (found.state === "closed") {
    return found.closed_at && make("span", { class: "row-time", text: dayAndClock(found.closed_at) });
  }
  if (!found.waiting_since) return make("span", { class: "row-time", text: "beantwoord" });
  const time = make("time", { "data-since": found.waiting_since, datetime: found.waiting_since });
  return make(
    "span",
    { class: "row-time waits" },
    icon("clock"),
    make("span", { class: "unseen", text: "wacht " }),
    time,
  );
}

function unread(found) {
  if (!found.unread) return null;
  const text = String(found.unread);
  return make("span", { class: "unread" }, text, make("span", { class: "unseen", text: " ongelezen" }));
}

function below(found) {
  if (found.state === "closed")
    return line("check", [named("outcome", found.outcome), rated(found)].filter(Boolean).join(" · "));
  if (isMine(found)) return line("coach", "Bij jou");
  if (found.state === "taken") return line("coach", `Bij ${found.coach?.name ?? "een collega"}`);
  return fits(found);
}

const rated = (found) => (found.rating ? `hielp het? ${named("rating", found.rating)}` : "");

function fits(found) {
  const best = found.fit ?? [];
  const mine = best.find((one) => one.id === state.me.id);
  if (mine) return line("person", `Past bij jou: ${reasons(mine) || "je hebt plek"}`, "mine");
  return best.length > 0 && line("person", `Past bij ${people(best.map((one) => one.name))}`);
}

export function reasons(fit) {
  return people([fit.language && "taal", fit.topic && "onderwerp", fit.area && "wijk"].filter(Boolean));
}

const line = (sign, text, kind = "") =>
  make("span", { class: `row-below ${kind}` }, icon(sign), make("span", { text }));
