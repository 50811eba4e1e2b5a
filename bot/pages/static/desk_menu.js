// A button that opens a few more buttons. Escape, or pressing elsewhere, closes it.
import { button, make } from "./desk_dom.js";

let number = 0;

export function menu(text, sign, entries) {
  const id = `menu-${++number}`;
  const list = make(
    "ul",
    { id, hidden: true },
    ...entries.map(([title, itsSign, act]) =>
      make(
        "li",
        {},
        button(
          title,
          itsSign,
          () => {
            show(false);
            opener.focus();
            act();
          },
          { class: "plain" },
        ),
      ),
    ),
  );
  const opener = button(text, sign, () => show(list.hidden), { "aria-expanded": "false", "aria-controls": id });
  const holder = make("div", { class: "menu" }, opener, list);

  function show(open) {
    list.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    if (open) {
      list.querySelector("button").focus();
      document.addEventListener("pointerdown", elsewhere);
    } else {
      document.removeEventListener("pointerdown", elsewhere);
    }
  }

  function elsewhere(event) {
    if (!holder.contains(event.target)) show(false);
  }

  holder.addEventListener("keydown", (event) => {
    const items = [...list.querySelectorAll("button")];
    const here = items.indexOf(document.activeElement);
    if (event.key === "Escape" && !list.hidden) {
      show(false);
      opener.focus();
      event.stopPropagation();
    } else if (here >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      items[(here + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length].focus();
      event.preventDefault();
    }
  });
  holder.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !holder.contains(event.relatedTarget)) show(false);
  });
  return holder;
}
