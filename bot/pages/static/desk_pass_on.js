// "Geef door": to a colleague, best fitting first, or to another team's queue; with a note for whoever gets it.
import { act } from "./desk_api.js";
import { ask, choices, chosen } from "./desk_dialog.js";
import { make } from "./desk_dom.js";
import { reasons } from "./desk_row.js";
import { isMine, state } from "./desk_state.js";
import { named, starting } from "./desk_words.js";

// `done(case, action, body, text)` does it, and tells the coach.
export function passOn(found, done) {
  const colleagues = isMine(found) ? ranked(found).map((one) => colleague(found, one)) : [];
  const teams = state.me.teams
    .filter((team) => team.id !== found.team?.id)
    .map(({ id, name }) => ({ value: `team ${id}`, title: name }));
  const note = make("textarea", { id: "pass-note", rows: 2, dir: "auto", maxlength: 4096 });
  const nobody = make("p", { text: "Er is nu geen collega of ander team om dit gesprek aan te geven." });
  const dialog = ask({
    title: "Gesprek doorgeven",
    body: [
      colleagues.length && choices("to", "Aan een collega (wie het best past staat bovenaan)", colleagues),
      teams.length && choices("to", "Aan een ander team", teams),
      !colleagues.length && !teams.length && nobody,
      make(
        "p",
        { class: "for-note" },
        make("label", { for: note.id, text: "Notitie voor wie het krijgt, alleen voor collega’s (mag leeg)" }),
        note,
      ),
      make("p", {
        class: "soft",
        text: isMine(found)
          ? `${starting(found)} leest wie er verdergaat.`
          : "Neem het gesprek eerst over als je het aan één collega wilt geven.",
      }),
    ].filter(Boolean),
    confirm: "Geef door",
    submit: async () => {
      const [kind, id] = (chosen(dialog, "to") ?? "").split(" ");
      if (!kind) throw new Error("Kies eerst aan wie je het geeft.");
      if (note.value.trim()) await act(found.key, "note", { text: note.value.trim() });
      note.value = ""; // once is enough, also when giving fails and is tried again
      const [action, name] =
        kind === "team" ? ["move", nameOf(state.me.teams, id)] : ["pass_on", nameOf(state.me.colleagues, id)];
      await done(found, action, { [kind]: Number(id) }, `Doorgegeven aan ${name}.`);
    },
  });
}

const nameOf = (all, id) => all.find((one) => one.id === Number(id))?.name ?? "";

function ranked(found) {
  const best = (found.fit ?? []).map((one) => one.id);
  const place = (one) => (best.includes(one.id) ? best.indexOf(one.id) : best.length);
  const speaks = (one) => one.languages.includes(found.language);
  const full = (one) => free(one) <= 0;
  return state.me.colleagues
    .filter((one) => one.id !== state.me.id)
    .sort(
      (one, other) =>
        full(one) - full(other) || place(one) - place(other) || speaks(other) - speaks(one) || free(other) - free(one),
    );
}

const free = (one) => one.room - one.taken;

function colleague(found, one) {
  const fit = found.fit?.find((best) => best.id === one.id);
  const languages = one.languages.map((code) => named("language", code)).join(", ");
  const why = fit && reasons(fit) ? `past bij: ${reasons(fit)}` : "";
  const room = free(one) > 0 ? `nog ${free(one)} ${free(one) === 1 ? "plek" : "plekken"}` : "zit vol";
  const team = one.team_id === found.team?.id ? "" : `team ${nameOf(state.me.teams, one.team_id)}`;
  return { value: `coach ${one.id}`, title: one.name, below: [team, languages, why, room].filter(Boolean).join(" · ") };
}
