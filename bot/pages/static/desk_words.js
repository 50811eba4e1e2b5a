// Codes and moments in the words a coach reads. A code that is not listed is shown as it came, so a list that
// grows elsewhere never leaves a hole here.
const NAMES = {
  language: { nl: "Nederlands", tr: "Turks", ar: "Arabisch" },
  age: { under_16: "onder 16", "16-17": "16 of 17", "18-26": "18 tot 26", "27+": "27 of ouder" },
  area: {
    nieuw_west: "Nieuw-West",
    zuidoost: "Zuidoost",
    noord: "Noord",
    west: "West",
    oost: "Oost",
    zuid: "Zuid",
    centrum: "Centrum",
    amsterdam: "elders in Amsterdam",
    zaandam: "Zaandam",
    poelenburg: "Poelenburg",
    almere: "Almere",
    purmerend: "Purmerend",
    rotterdam: "Rotterdam",
    utrecht: "Utrecht",
    elsewhere: "buiten de regio",
  },
  channel: { webchat: "Website", web: "Website", telegram: "Telegram", whatsapp: "WhatsApp" },
  reach: {
    chat: "hier, in de chat",
    call_morning: "bellen, ’s ochtends",
    call_afternoon: "bellen, ’s middags",
    call_evening: "bellen, ’s avonds",
  },
  guardian: { parent: "een ouder is erbij", mentor: "mentor van school", nobody: "niemand" },
  outcome: {
    helped: "geholpen",
    referred: "doorverwezen",
    school: "naar een school",
    no_answer: "geen antwoord meer",
    not_for_us: "niet voor ons",
    handed_back: "terug naar de assistent",
    cancelled: "zelf gestopt",
  },
  rating: { 3: "Ja, goed", 2: "Een beetje", 1: "Nee" },
  delivery: { waiting: "wordt verstuurd", sent: "verzonden", delivered: "bezorgd", read: "gelezen", failed: "mislukt" },
  slot: { name: "Voornaam", place: "Plaats", time: "Tijd", date: "Datum", coach: "Jouw naam", phone: "Telefoon" },
};

export const capital = (text) => text.slice(0, 1).toLocaleUpperCase("nl") + text.slice(1);

export function named(kind, code) {
  if (code === null || code === undefined || code === "") return "";
  const known = NAMES[kind]?.[code];
  if (known) return known;
  return capital(String(code).replaceAll("_", " "));
}

// Who it is, when only some people give a name.
export const who = (found) => found.first_name || "Iemand zonder naam";
// Inside a sentence; the marks around a name keep an Arabic one from turning the words beside it around.
export const short = (found) => (found.first_name ? `\u2068${found.first_name}\u2069` : "de persoon");
export const starting = (found) => (found.first_name ? short(found) : "De persoon");

const clockFormat = new Intl.DateTimeFormat("nl-NL", { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("nl-NL", { weekday: "long", day: "numeric", month: "long" });
const shortDay = new Intl.DateTimeFormat("nl-NL", { weekday: "short", day: "numeric", month: "short" });

// The API gives ISO times; seconds since 1970 are understood as well.
export const moment = (value) => new Date(typeof value === "number" ? value * 1000 : value);
export const clock = (value) => clockFormat.format(moment(value));

function daysAgo(value) {
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((start(new Date()) - start(moment(value))) / 86_400_000);
}

export function day(value) {
  const ago = daysAgo(value);
  if (ago === 0) return "vandaag";
  if (ago === 1) return "gisteren";
  if (ago === -1) return "morgen";
  return dayFormat.format(moment(value));
}

export function dayAndClock(value) {
  const ago = daysAgo(value);
  const date = Math.abs(ago) <= 1 ? day(value) : shortDay.format(moment(value));
  return ago === 0 ? clock(value) : `${date} ${clock(value)}`;
}

// For in a sentence: "vandaag om 20:46".
export const onDay = (value) => `${Math.abs(daysAgo(value)) > 1 ? "op " : ""}${day(value)} om ${clock(value)}`;

// "12 min", "2 u 05 min", "3 dagen"; `none` below a minute.
export function duration(milliseconds, none) {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return none;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} u ${String(minutes % 60).padStart(2, "0")} min` : `${hours} uur`;
  return `${Math.floor(hours / 24)} dagen`;
}

export const size = (bytes) =>
  bytes >= 1_000_000 ? `${(bytes / 1_000_000).toFixed(1).replace(".", ",")} MB` : `${Math.ceil(bytes / 1000)} kB`;

export const people = (names) =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} en ${names.at(-1)}`;

// What runs on: <time data-since> counts up, <time data-until> counts down. One clock for the whole page.
export function tick() {
  for (const shown of document.querySelectorAll("[data-since]")) {
    put(shown, duration(Date.now() - moment(shown.dataset.since), "net binnen"));
  }
  for (const shown of document.querySelectorAll("[data-until]")) {
    put(shown, duration(moment(shown.dataset.until) - Date.now(), "minder dan een minuut"));
  }
}

function put(shown, text) {
  if (shown.textContent !== text) shown.textContent = text;
}
