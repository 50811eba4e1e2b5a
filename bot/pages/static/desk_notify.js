// A sign when the desk is not looked at: the count in the title, and a notification of the browser if the coach asked
// for it. It never says who or what about: it can show on a locked screen.
import { at, icon, make } from "./desk_dom.js";
import { isMine, isWaiting } from "./desk_state.js";
import { failed, told } from "./desk_toast.js";

const WANTED = "desk-notify";
const title = document.title;
let open = null;

export function count(number) {
  document.title = number ? `(${number}) ${title}` : title;
}

// Compares the open cases before and now, and tells what is new.
export function changed(before, now) {
  const old = new Map(before.map((one) => [one.key, one]));
  for (const one of now) {
    const was = old.get(one.key);
    if (isWaiting(one) && !(was && isWaiting(was))) {
      notify(one.key, one.urgent ? "Dringend: er wacht iemand op een coach." : "Er wacht iemand op een coach.");
    } else if (isMine(one) && one.unread > (was?.unread ?? 0)) {
      notify(one.key, "Er is een nieuw bericht in een gesprek van jou.");
    }
  }
}

function notify(key, body) {
  if (!document.hidden || !isOn()) return;
  try {
    const shown = new Notification("Tekkie voor coaches", { body, tag: key, icon: "/static/tekkie.svg", lang: "nl" });
    shown.addEventListener("click", () => {
      window.focus();
      open(key);
      shown.close();
    });
  } catch {
    // Chrome on Android has no notifications without a service worker; the title still counts.
  }
}

const isOn = () =>
  "Notification" in window && Notification.permission === "granted" && localStorage.getItem(WANTED) === "yes";

export function setup(onOpen) {
  open = onOpen;
  const toggle = at("notify");
  if (!("Notification" in window)) {
    toggle.hidden = true;
    return;
  }
  toggle.addEventListener("click", async () => {
    if (isOn()) {
      localStorage.removeItem(WANTED);
    } else if ((await Notification.requestPermission()) === "granted") {
      localStorage.setItem(WANTED, "yes");
      told(
        "Je krijgt een melding als er iemand wacht of schrijft. Er staat nooit in wie het is of waar het over gaat.",
      );
    } else {
      failed("Je browser laat geen meldingen toe. Klik op het slotje naast het adres om dat te veranderen.");
    }
    show(toggle);
  });
  show(toggle);
}

function show(toggle) {
  toggle.replaceChildren(icon("bell"), make("span", { text: isOn() ? "Zet meldingen uit" : "Zet meldingen aan" }));
}
