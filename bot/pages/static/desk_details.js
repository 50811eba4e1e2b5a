// What the person filled in, beside the talk; and who is fit for it.
import { at, icon, make } from "./desk_dom.js";
import { reasons } from "./desk_row.js";
import { dayAndClock, named, onDay, who } from "./desk_words.js";

const PHONE = /^\+?[\d\s().-]{6,24}$/;
let mark = "";

export function drawDetails(found) {
  const now = JSON.stringify(found);
  if (now === mark && at("details").childElementCount) return;
  mark = now;
  at("details").replaceChildren(
    make("h3", { text: "Gegevens" }),
    make(
      "dl",
      {},
      ...facts(found)
        .filter(([, value]) => value)
        .flatMap(([name, value]) => [make("dt", { text: name }), make("dd", {}, value)]),
    ),
    ...consent(found),
    ...rating(found),
    ...fits(found),
  );
}

function facts(found) {
  return [
    ["Voornaam", found.first_name && make("span", { dir: "auto", text: who(found) })],
    ["Hoe en wanneer", named("reach", found.reach)],
    ["Telefoon", found.contact && contact(found.contact)],
    ["Ouder of mentor", named("guardian", found.guardian)],
    ["Onderwerp", found.topic_title],
    ["Taal", named("language", found.language)],
    ["Leeftijd", named("age", found.age_group)],
    ["Wijk", named("area", found.area)],
    ["Komt binnen via", named("channel", found.channel)],
    ["Aangevraagd", dayAndClock(found.created_at)],
    ["Team", found.team?.name],
    ["Coach", found.coach?.name],
  ];
}

function contact(value) {
  if (!PHONE.test(value)) return make("span", { dir: "ltr", text: value });
  return make(
    "a",
    { href: `tel:${value.replace(/[^\d+]/g, "")}`, class: "phone", dir: "ltr" },
    icon("phone"),
    make("span", { text: value }),
  );
}

function consent(found) {
  if (!found.consent_at) return [];
  const text = `Vond ${onDay(found.consent_at)} goed dat coaches dit lezen. Deel het met niemand buiten het team.`;
  return [make("p", { class: "consent" }, icon("check"), make("span", { text }))];
}

function rating(found) {
  if (!found.rating) return [];
  return [
    make("h3", { text: "Hielp het?" }),
    make("p", { class: "rating", text: named("rating", found.rating) }),
    found.rating_text && make("blockquote", { dir: "auto", text: found.rating_text }),
  ].filter(Boolean);
}

function fits(found) {
  if (!found.fit?.length || found.state === "closed") return [];
  return [
    make("h3", { text: "Wie past hierbij" }),
    make(
      "ol",
      { class: "fits" },
      ...found.fit.map((one) =>
        make(
          "li",
          {},
          make("strong", { text: one.name }),
          make("span", { text: [reasons(one), room(one.room)].filter(Boolean).join(" · ") }),
        ),
      ),
    ),
  ];
}

const room = (free) => (free > 0 ? `nog ${free} ${free === 1 ? "plek" : "plekken"}` : "zit vol");
