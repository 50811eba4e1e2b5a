// A question in front of the page. The browser's own <dialog> keeps focus inside and gives it back afterwards.
import { button, icon, make } from "./desk_dom.js";

// `submit` may be async; what it throws is shown inside, and the dialog stays. Without `confirm` there is only "Sluit".
export function ask({ title, body, confirm, submit, kind = "", wide = false }) {
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const cancel = button(confirm ? "Annuleer" : "Sluit", null, () => dialog.close());
  const yes = confirm && make("button", { type: "submit", class: `main ${kind}`, text: confirm });
  const form = make("form", { novalidate: true }, ...body, problem, make("div", { class: "choices" }, cancel, yes));
  const close = button("", "cross", () => dialog.close(), { class: "plain icon-only", "aria-label": "Sluit" });
  const heading = make("h2", { id: "dialog-title", text: title });
  const dialog = make(
    "dialog",
    { class: wide ? "wide" : "", "aria-labelledby": heading.id },
    make("div", { class: "dialog-head" }, heading, close),
    form,
  );
  const before = document.activeElement;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    if (yes) yes.disabled = true;
    try {
      await submit?.();
      dialog.close();
    } catch (found) {
      problem.replaceChildren(icon("alert"), make("span", { text: found.message }));
      problem.hidden = false;
    } finally {
      if (yes) yes.disabled = false;
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    const next = before?.isConnected && before !== document.body ? before : document.getElementById("case-title");
    next?.focus();
  });
  form.addEventListener("input", () => (problem.hidden = true)); // it is being mended
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export const isAsking = () => Boolean(document.querySelector("dialog[open]"));

// One of several: rows of { value, title, below, checked } as radio buttons.
export function choices(name, legend, rows) {
  return make(
    "fieldset",
    { class: "radios" },
    make("legend", { text: legend }),
    ...rows.map(({ value, title, below, checked }, place) => {
      const id = `${name}-${place}`;
      return make(
        "label",
        { for: id },
        make("input", { type: "radio", name, id, value, checked }),
        make("span", {}, make("strong", { text: title }), below && make("span", { class: "soft", text: below })),
      );
    }),
  );
}

export const chosen = (dialog, name) => dialog.querySelector(`input[name="${name}"]:checked`)?.value;
