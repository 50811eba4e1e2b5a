// The talk: every bubble says by word, icon and place who wrote it. A coach who reads no Arabic or Turkish follows it
// by the Dutch beside what the assistant said, and by what it understood of what the person wrote.
import { act, attachment } from "./desk_api.js";
import { at, button, icon, keyed, make, words } from "./desk_dom.js";
import { state } from "./desk_state.js";
import { failed } from "./desk_toast.js";
import { clock, day, moment, named, short, size } from "./desk_words.js";

const NEAR = 80; // pixels from the end that still count as "at the end"
const SHOWN_HERE = /^(image\/(png|jpeg|gif|webp)|audio\/(ogg|mpeg|mp4|aac|amr|wav|webm))/;
let atEnd = true; // of the talk, as far as it is scrolled
let fetchAgain = null; // asks for the open case anew
const SIGNS = { person: "person", assistant: "robot", coach: "coach" };

export function drawLines(found, lines, notes, before) {
  const box = at("scroll");
  const wasAtEnd = atEnd;
  const items = inOrder(lines, notes);
  keyed(
    at("lines"),
    items,
    (item) => item.id,
    (item) => drawItem(found, item),
  );
  if (!before) return;
  if (wasAtEnd) box.scrollTop = box.scrollHeight;
  else if (lines.length > before.lines.length) at("down").hidden = false;
}

// Lines and notes by time, with the name of each new day between them.
function inOrder(lines, notes) {
  const all = [
    ...lines.map((line) => ({ id: `line ${line.position}`, line, at: moment(line.at).getTime() })),
    ...notes
      .filter((note) => note.text)
      .map((note, place) => ({ id: `note ${place}`, note, at: moment(note.at).getTime() })),
  ].sort((one, other) => one.at - other.at || order(one) - order(other));
  const items = [];
  let today = "";
  for (const item of all) {
    const name = day(item.at / 1000);
    if (name !== today) items.push({ id: `day ${name}`, day: name });
    today = name;
    items.push(item);
  }
  return items;
}

const order = (item) => item.line?.position ?? Infinity;

function drawItem(found, { day: name, line, note }) {
  if (name) return make("li", { class: "day" }, make("span", { text: name }));
  return note ? drawNote(note) : drawLine(found, line);
}

function drawNote(note) {
  return make(
    "li",
    { class: "note" },
    by("note", `Notitie van ${note.coach}, alleen voor collega’s`, note.at),
    make("div", { class: "bubble" }, words(note.text)),
  );
}

function drawLine(found, line) {
  const item = make(
    "li",
    { class: line.author, "data-position": line.position },
    by(SIGNS[line.author], author(found, line), line.at),
  );
  item.append(line.author === "person" ? bubble(found, line) : both(found, line));
  if (line.author === "person") item.append(...understood(line));
  item.append(...delivery(line));
  return item;
}

function author(found, line) {
  if (line.author === "person") return found.first_name ? `Persoon: ${short(found)}` : "Persoon";
  if (line.author === "assistant") return "Assistent";
  const mine = line.coach && line.coach === state.me.name;
  return `Coach ${line.coach ?? ""}${mine ? " (jij)" : ""}`;
}

const by = (sign, text, when) =>
  make("p", { class: "by" }, icon(sign), make("span", { text }), make("span", { class: "when", text: clock(when) }));

function bubble(found, line) {
  const made = make("div", { class: "bubble" });
  if (line.text) made.append(words(line.text, line.language, "said"));
  if (line.place) made.append(place(line.place));
  if (line.attachment) made.append(file(found, line));
  if (line.buttons?.length) made.append(buttons(line));
  return made;
}

// What the person reads, and the same in Dutch beside it.
function both(found, line) {
  const original = bubble(found, line);
  if (!line.dutch || line.language === "nl" || line.dutch === line.text) return original;
  const dutch = make(
    "div",
    { class: "dutch" },
    make("span", { class: "tongue", text: "In het Nederlands" }),
    make("span", { lang: "nl", dir: "ltr", class: "said", text: line.dutch }),
  );
  original.prepend(make("span", { class: "tongue", text: named("language", line.language) }));
  return make("div", { class: "pair" }, original, dutch);
}

function buttons(line) {
  const made = make("ul", { class: "pressable", "aria-label": "Knoppen onder dit bericht" });
  made.append(...line.buttons.map((title) => make("li", {}, words(title.title ?? title, line.language))));
  return made;
}

const place = ({ name, address }) =>
  make(
    "span",
    { class: "place" },
    icon("pin"),
    make("span", { dir: "auto", text: [name, address].filter(Boolean).join(", ") }),
  );

function file(found, line) {
  const { name, mime, size: bytes } = line.attachment;
  const source = attachment(found.key, line.position);
  const made = make("div", { class: "file" });
  const label = `${name || "Bestand"}${bytes ? ` (${size(bytes)})` : ""}`;
  made.append(
    make(
      "a",
      { href: source, download: true, class: "link" },
      icon("file"),
      make("span", { dir: "auto", text: `Download ${label}` }),
    ),
  );
  if (SHOWN_HERE.test(mime)) made.append(opener(made, source, mime));
  return made;
}

// Nothing of what people send is fetched or shown before the coach wants it.
function opener(holder, source, mime) {
  const picture = mime.startsWith("image/");
  const show = button(picture ? "Toon foto" : "Speel af", "eye", () => {
    const shown = picture
      ? make("img", { src: source, alt: "Foto van de persoon", class: "photo" })
      : make("audio", { src: source, controls: true });
    shown.addEventListener("error", () => failed("Dit bestand kan hier niet open. Probeer het te downloaden."));
    holder.append(shown);
    show.remove();
  });
  return show;
}

function understood({ topic, topic_title: title, confidence }) {
  const sure = typeof confidence === "number" ? `, ${Math.round(confidence * 100)} %` : "";
  if (title || topic) return [make("p", { class: "under", text: `begrepen als: ${title ?? topic}${sure}` })];
  return sure ? [make("p", { class: "under", text: `niet begrepen${sure} zeker` })] : [];
}

const MARKS = { waiting: "clock", sent: "check", delivered: "check", read: "checks", failed: "alert" };

function delivery({ author: wrote, delivery: found, position }) {
  if (!found || (wrote !== "coach" && found.status !== "failed")) return [];
  const text = named("delivery", found.status) + (found.reason ? `: ${found.reason}` : "");
  const sign = icon(MARKS[found.status] ?? "clock");
  const shown = make("p", { class: `under delivery ${found.status}` }, sign, make("span", { text }));
  return found.status === "failed" ? [shown, retry(position)] : [shown];
}

function retry(position) {
  const again = button("Probeer opnieuw", null, send, { class: "small" });
  async function send() {
    again.disabled = true;
    try {
      await act(state.key, "retry", { position });
      await fetchAgain();
    } catch (problem) {
      again.disabled = false;
      failed(problem);
    }
  }
  return again;
}

// To the first message that was not read yet, or to the end.
export function scrollTo(unread) {
  const box = at("scroll");
  const fromPerson = [...at("lines").querySelectorAll("li.person")];
  const first = unread ? fromPerson[Math.max(0, fromPerson.length - unread)] : null;
  if (first) {
    const text = unread === 1 ? "1 nieuw bericht" : `${unread} nieuwe berichten`;
    first.prepend(make("p", { class: "fresh-mark", text }));
    box.scrollTop = first.offsetTop - 48;
  } else {
    box.scrollTop = box.scrollHeight;
  }
  at("down").hidden = true;
}

export function setup(refresh) {
  fetchAgain = refresh;
  const box = at("scroll");
  at("down").append(icon("down"), make("span", { text: "Nieuw bericht" }));
  at("down").addEventListener("click", () => (box.scrollTop = box.scrollHeight));
  box.addEventListener("scroll", () => {
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    if (atEnd) at("down").hidden = true;
  });
  // When the composer grows or a keyboard opens, the end stays in sight.
  new ResizeObserver(() => atEnd && (box.scrollTop = box.scrollHeight)).observe(box);
}
