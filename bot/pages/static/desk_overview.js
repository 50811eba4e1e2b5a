// Figures for the team lead: how many cases, how long people waited, and what came of it.
import { get, me } from "./desk_api.js";
import { bars, shares } from "./desk_charts.js";
import { at, make } from "./desk_dom.js";
import * as drafts from "./desk_drafts.js";
import { capital, named } from "./desk_words.js";

const percent = new Intl.NumberFormat("nl-NL", { style: "percent" });

async function load() {
  const days = at("days").value;
  at("csv").href = `/desk/overview.csv?days=${days}`;
  at("figures").setAttribute("aria-busy", "true");
  at("problem").hidden = true;
  try {
    const found = await get(`overview?days=${days}`);
    if (at("days").value === days) draw(found);
  } catch (problem) {
    at("problem").textContent = problem.message;
    at("problem").hidden = false;
  }
  at("figures").setAttribute("aria-busy", "false");
}

function draw(found) {
  const total = found.days.reduce((sum, one) => sum + one.cases, 0);
  if (!total) {
    const text = "In deze periode vroeg niemand om een coach. Kies een langere periode.";
    at("figures").replaceChildren(tiles(found, total), make("p", { class: "empty", text }));
    return;
  }
  at("figures").replaceChildren(
    tiles(found, total),
    bars("Aanvragen per dag", found.days),
    make(
      "div",
      { class: "charts" },
      shares("Hoe het afliep", "Uitkomst", words("outcome", found.outcomes)),
      shares("Onderwerp", "Onderwerp", words("topic", found.topics)),
      shares("Taal", "Taal", words("language", found.languages)),
      shares("Hielp het?", "Antwoord", words("rating", found.ratings), "Nog niemand gaf een cijfer."),
      shares(
        "Waar mensen vandaan komen",
        "Bron",
        words("source", found.sources),
        "Van niemand is bekend via welke poster of link.",
      ),
    ),
  );
}

function tiles({ waiting, open_now: open, ratings }, total) {
  const rated = Object.values(ratings).reduce((sum, number) => sum + number, 0);
  const good = rated ? percent.format((ratings["3"] ?? 0) / rated) : "–";
  return make(
    "dl",
    { class: "tiles" },
    tile("Aanvragen", total, "in deze periode"),
    tile("Nu open", open, "wachten of in gesprek"),
    tile("Wachttijd, de helft", minutes(waiting.median_minutes), "of korter (mediaan)"),
    tile("Wachttijd, 9 van de 10", minutes(waiting.p90_minutes), "of korter (90e percentiel)"),
    tile("‘Ja, goed geholpen’", good, rated ? `van ${rated} antwoorden` : "nog geen antwoorden"),
  );
}

const tile = (title, value, below) =>
  make(
    "div",
    { class: "tile" },
    make("dt", { text: title }),
    make("dd", {}, String(value), make("small", { text: below })),
  );

function minutes(value) {
  if (value === null || value === undefined) return "–";
  const whole = Math.round(value);
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} u ${String(whole % 60).padStart(2, "0")}`;
}

const source = (tag) => (tag && tag !== "direct" ? tag : "Zonder poster of link");

// [[name in Dutch, number], ...], most first.
const words = (kind, numbers) =>
  Object.entries(numbers)
    .map(([code, number]) => [kind === "source" ? source(code) : capital(named(kind, code)) || "Onbekend", number])
    .sort((one, other) => other[1] - one[1]);

at("days").addEventListener("change", load);
at("logout").addEventListener("submit", () => drafts.clean(true));
me().catch(() => {}); // not logged in: leads to the login page
load();
