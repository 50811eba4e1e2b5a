// Answer cards: found by Dutch words, read in Dutch and in the person's language, and sent as it stands.
import { act, get } from "./desk_api.js";
import { ask } from "./desk_dialog.js";
import { keyed, make, words } from "./desk_dom.js";
import { paced } from "./desk_live.js";
import { named, short, starting } from "./desk_words.js";

// `sent(text)` is called when the card is on its way.
export function openCards(found, sent) {
  let chosen = null;
  const field = make("input", {
    type: "search",
    id: "card-words",
    autocomplete: "off",
    placeholder: "Bijvoorbeeld: schulden, diploma, kosten",
  });
  const list = make("ul", { class: "found", "aria-label": "Gevonden kaarten" });
  const none = make("p", { class: "soft", role: "status" });
  const preview = make(
    "div",
    { class: "preview", tabindex: "0", role: "region", "aria-label": "Voorbeeld", "aria-live": "polite" },
    make("p", { class: "soft", text: "Kies een kaart. Je leest hem eerst zelf." }),
  );
  const dialog = ask({
    title: "Antwoordkaart",
    wide: true,
    body: [
      make("p", {
        class: "soft",
        text: `Zoek in het Nederlands. ${starting(found)} leest het in het ${named("language", found.language)}.`,
      }),
      make("label", { for: field.id, text: "Onderwerp" }),
      field,
      make("div", { class: "columns" }, make("div", { class: "results" }, list, none), preview),
    ],
    confirm: "Stuur kaart",
    submit: async () => {
      if (!chosen) throw new Error("Kies eerst een kaart.");
      await act(found.key, "card", { topic: chosen });
      sent("De kaart is verstuurd.");
    },
  });

  const look = paced(async () => {
    try {
      const { cards } = await get(`cards?q=${encodeURIComponent(field.value.trim())}`);
      keyed(list, cards, (card) => card.topic, row);
      none.textContent = cards.length ? "" : "Geen kaart gevonden. Probeer een ander woord.";
    } catch (problem) {
      none.textContent = problem.message;
    }
  }, 200);

  function row(card) {
    const name = make("strong", { text: card.title });
    const below = card.group ? make("span", { class: "soft", text: named("group", card.group) }) : null;
    const made = make(
      "button",
      { type: "button", "aria-pressed": "false", on: { click: () => show(card, made) } },
      name,
      ...(below ? [below] : []),
    );
    return make("li", {}, made);
  }

  async function show(card, pressed) {
    for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === pressed));
    chosen = card.topic;
    try {
      const { dutch, person } = await get(
        `cards/${encodeURIComponent(card.topic)}?case=${encodeURIComponent(found.key)}`,
      );
      if (chosen !== card.topic) return;
      preview.replaceChildren(...both(dutch, person));
    } catch (problem) {
      chosen = null;
      preview.replaceChildren(make("p", { class: "problem", text: problem.message }));
    }
  }

  function both(dutch, person) {
    const column = (title, texts, language) =>
      make(
        "div",
        { class: "tongue-column" },
        make("h3", { text: title }),
        ...texts.map((text) => make("p", { class: "bubble" }, words(text, language))),
      );
    const theirs = column(`Dit leest ${short(found)} (${named("language", found.language)})`, person, found.language);
    return found.language === "nl" ? [theirs] : [column("In het Nederlands", dutch, "nl"), theirs];
  }

  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault(); // Enter here looks for a card; it does not send one
    list.querySelector("button")?.focus();
  });
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll("button")];
    const next = all.indexOf(document.activeElement) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN);
    if (Number.isNaN(next)) return;
    event.preventDefault();
    (all[next] ?? (next < 0 ? field : all.at(-1))).focus();
  });
  look();
  field.focus();
  return dialog;
}
