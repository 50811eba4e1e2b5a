// Quick replies: ready sentences in three languages, with a few words to fill in.
import { act, get } from "./desk_api.js";
import { ask } from "./desk_dialog.js";
import { make, words } from "./desk_dom.js";
import { state } from "./desk_state.js";
import { failed } from "./desk_toast.js";
import { named, short, starting } from "./desk_words.js";

const SLOT = /\{(\w+)\}/g;

export async function openQuick(found, sent) {
  let quick;
  try {
    ({ quick } = await get("quick"));
  } catch (problem) {
    return failed(problem);
  }
  let chosen = null;
  const fill = make(
    "div",
    { class: "preview" },
    make("p", { class: "soft", text: quick.length ? "Kies een antwoord." : "Er zijn nog geen snelle antwoorden." }),
  );
  const list = make("ul", { class: "found", "aria-label": "Snelle antwoorden" }, ...quick.map(row));
  ask({
    title: "Snel antwoord",
    wide: true,
    body: [
      make("p", {
        class: "soft",
        text: `${starting(found)} krijgt het antwoord in het ${named("language", found.language)}.`,
      }),
      make("div", { class: "columns" }, make("div", { class: "results" }, list), fill),
    ],
    confirm: "Verstuur",
    submit: async () => {
      if (!chosen) throw new Error("Kies eerst een antwoord.");
      const values = filled();
      const missing = chosen.slots.find((slot) => !values[slot]);
      if (missing) throw new Error(`Vul nog in: ${named("slot", missing)}.`);
      await act(found.key, "quick", { id: chosen.id, values });
      sent("Het antwoord is verstuurd.");
    },
  });
  list.querySelector("button")?.focus();

  function row(one) {
    const made = make(
      "button",
      { type: "button", "aria-pressed": "false", on: { click: () => show(one, made) } },
      make("strong", { text: one.title }),
      make("span", { class: "soft", text: withNames(one.nl) }),
    );
    return make("li", {}, made);
  }

  function show(one, pressed) {
    for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === pressed));
    chosen = one;
    const fields = one.slots.map((slot) => {
      const id = `slot-${slot}`;
      const value = { coach: state.me.name, name: found.first_name }[slot] ?? "";
      return make(
        "p",
        { class: "slot" },
        make("label", { for: id, text: named("slot", slot) }),
        make("input", {
          id,
          "data-slot": slot,
          value,
          dir: "auto",
          maxlength: 80,
          autocomplete: "off",
          on: { input: draw },
        }),
      );
    });
    const texts = make("div", { class: "texts" });
    fill.replaceChildren(...fields, texts);
    draw();
    fill.querySelector("input")?.focus();
  }

  function filled() {
    return Object.fromEntries(
      [...fill.querySelectorAll("input")].map((input) => [input.dataset.slot, input.value.trim()]),
    );
  }

  function draw() {
    const languages = found.language === "nl" ? ["nl"] : ["nl", found.language];
    const values = filled();
    fill.querySelector(".texts").replaceChildren(
      ...languages.map((language) =>
        make(
          "div",
          { class: "tongue-column" },
          make("h3", {
            text:
              language === found.language
                ? `Dit leest ${short(found)} (${named("language", language)})`
                : "In het Nederlands",
          }),
          make(
            "p",
            { class: "bubble" },
            words(
              chosen[language].replace(SLOT, (whole, slot) => values[slot] || "____"),
              language,
            ),
          ),
        ),
      ),
    );
  }
}

const withNames = (text) => text.replace(SLOT, (whole, slot) => `(${named("slot", slot).toLocaleLowerCase("nl")})`);
