// The chat page: shows the transcript it hears over the event stream, sends what is typed.
// A message keeps its own id until the server has it, so sending again can never say it twice.
import { texts } from "./texts.js";

const MOST = 4096;
const SIGN = 6000, EVERY = 3000; // milliseconds
const at = (id) => document.getElementById(id);
const log = at("log"), lines = at("lines"), form = at("form"), box = at("text");
const started = "tekkie-started", languageKey = "tekkie-language";

const tag = new URLSearchParams(location.search).get("source"); // the poster that brought the person here
const source = tag ? "&source=" + encodeURIComponent(tag) : "";

let language = pick();
let position = 0;
let stream = null;
let forgetting = false; // "delete my data" was pressed: clear the page when it is done
let coach = null; // the coach who wrote last, while no assistant wrote after
let coachTypes = 0; // until when the coach's typing sign stays
let told = 0; // when we last said that the person types
const mine = new Map(); // id -> list item of an own message that is not answered yet

function pick() {
  const wanted = [localStorage.getItem(languageKey), ...navigator.languages.map((l) => l.slice(0, 2))];
  return wanted.find((code) => code in texts) ?? "nl";
}

function say() {
  return texts[language];
}

function show(code) {
  language = code;
  document.documentElement.lang = code;
  document.documentElement.dir = code === "ar" ? "rtl" : "ltr";
  at("notice").textContent = coach ? say().coached(coach) : say().notice;
  for (const id of ["welcome", "intro", "label", "send"]) at(id).textContent = say()[id];
  typing();
  at("languages").setAttribute("aria-label", say().languages);
  log.setAttribute("aria-label", say().log);
  box.placeholder = say().placeholder;
  for (const button of at("languages").children) {
    button.setAttribute("aria-pressed", String(button.dataset.language === code));
  }
  at("ideas").replaceChildren(...say().ideas.map(([title, payload]) => {
    const item = document.createElement("li");
    item.append(choice({ title, payload }));
    return item;
  }));
  count();
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function choice({ title, payload }) {
  const button = element("button", "", title);
  button.type = "button";
  button.dir = "auto";
  button.addEventListener("click", () => send(title, payload));
  return button;
}

function bubble(line) {
  const item = element("li", line.author, "");
  const by = element("span", "by", line.coach ? `${line.coach} · ${say()[line.author]}` : say()[line.author]);
  const body = element("div", "bubble", line.text);
  body.dir = "auto";
  if (line.language) body.lang = line.language;
  item.append(by, body);
  if (line.buttons?.length) {
    const buttons = element("div", "buttons", "");
    buttons.append(...line.buttons.map(choice));
    item.append(buttons);
  }
  return item;
}

function add(line) {
  if (line.position <= position) return;
  position = line.position;
  mine.get(line.id)?.remove();
  mine.delete(line.id);
  at("start").hidden = false;
  if (forgetting && line.author !== "person") {
    lines.replaceChildren();
    forgetting = false;
  }
  if (line.author !== "person") {
    coach = line.coach ?? null;
    coachTypes = 0;
    show(language);
  }
  const item = bubble(line);
  const firstOpen = mine.values().next().value;
  lines.insertBefore(item, firstOpen ?? null);
  if (line.author !== "person" && line.language && line.language !== language) show(line.language);
  typing();
  showFrom(line.author === "person" ? item : item.previousElementSibling ?? item);
}

// The question stays in sight above its answer, also when the answer is longer than the screen.
function showFrom(item) {
  log.scrollTop = item.offsetTop - 8;
}

function typing() {
  const busy = [...mine.values()].some((item) => !item.classList.contains("failed"));
  at("typing-text").textContent = coach ? say().coachTyping(coach) : say().typing;
  at("typing").hidden = !busy && Date.now() > coachTypes;
}

// The sign goes by itself: a coach who stops writing tells nobody.
function coachWrites() {
  if (!coach) return;
  coachTypes = Date.now() + SIGN;
  typing();
  setTimeout(typing, SIGN + 50);
  log.scrollTop = log.scrollHeight;
}

// While a coach has the talk, they see that somebody writes.
function iWrite() {
  if (!coach || Date.now() - told < EVERY || !box.value.trim()) return;
  told = Date.now();
  fetch("/api/webchat/typing", { method: "POST" }).catch(() => {});
}

function pend(id, text) {
  if (mine.has(id)) return mine.get(id);
  const item = bubble({ author: "person", text });
  item.classList.add("waiting");
  mine.set(id, item);
  lines.append(item);
  typing();
  log.scrollTop = log.scrollHeight;
  return item;
}

function send(text, payload) {
  if (payload === "forget:yes") forgetting = true;
  const id = crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now();
  post(id, text, payload, pend(id, text));
}

async function post(id, text, payload, item, attempt = 0) {
  try {
    const answer = await fetch(`/api/webchat/messages?language=${language}${source}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(payload ? { id, text, payload } : { id, text }),
    });
    if (answer.ok) {
      localStorage.setItem(started, "yes");
      listen();
    } else if (answer.status >= 500) {
      throw new Error(answer.status);
    } else if (answer.status === 401 && attempt === 0) {
      position = 0; // the old conversation is gone: the server has thrown its cookie away
      await post(id, text, payload, item, 1);
    } else {
      fail(id, text, payload, item, (await answer.json()).error.message);
    }
  } catch {
    if (attempt < 30) {
      at("status").textContent = say().offline;
      await new Promise((wake) => setTimeout(wake, Math.min(500 * 2 ** attempt, 8000)));
      await post(id, text, payload, item, attempt + 1);
    } else {
      fail(id, text, payload, item, say().notSent);
    }
  }
}

function fail(id, text, payload, item, why) {
  item.classList.replace("waiting", "failed");
  const again = element("button", "", say().again);
  again.type = "button";
  again.addEventListener("click", () => {
    item.classList.replace("failed", "waiting");
    note.remove();
    again.remove();
    typing();
    post(id, text, payload, item);
  });
  const note = element("p", "why", why);
  item.append(note, again);
  typing();
}

function listen() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/webchat/events?after=" + position);
  stream.addEventListener("open", () => { at("status").textContent = ""; });
  stream.addEventListener("waiting", (event) => {
    for (const { id, text } of JSON.parse(event.data)) pend(id, text);
  });
  stream.addEventListener("line", (event) => add(JSON.parse(event.data)));
  stream.addEventListener("typing", coachWrites);
  stream.addEventListener("error", () => {
    at("status").textContent = say().offline;
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000); // an error page instead of a stream
  });
}

function count() {
  const length = box.value.length;
  const over = length > MOST;
  at("count").textContent = over ? say().over(length - MOST) : length > MOST - 500 ? say().count(length, MOST) : "";
  at("count").classList.toggle("over", over);
  at("send").disabled = over;
}

function grow() {
  box.style.height = "auto";
  box.style.height = box.scrollHeight + 2 + "px";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = box.value.trim();
  if (!text || text.length > MOST) return;
  send(text);
  box.value = "";
  count();
  grow();
  box.focus();
});
box.addEventListener("input", () => { count(); grow(); iWrite(); });
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
at("languages").addEventListener("click", (event) => {
  const code = event.target.dataset.language;
  if (!code) return;
  localStorage.setItem(languageKey, code);
  show(code);
  if (localStorage.getItem(started)) send(texts[code] && event.target.textContent, "language:" + code);
  box.focus();
});
addEventListener("storage", (event) => { if (event.key === started) listen(); });

show(language);
if (localStorage.getItem(started)) listen();
