// Charts as SVG made here: no library, nothing from elsewhere. Every chart is a table too.
import { drawn, make } from "./desk_dom.js";

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 32;
const BOTTOM = 24;
const dayFormat = new Intl.DateTimeFormat("nl-NL", { day: "numeric", month: "short" });
const longFormat = new Intl.DateTimeFormat("nl-NL", { weekday: "long", day: "numeric", month: "long" });
const percent = new Intl.NumberFormat("nl-NL", { style: "percent" });
let number = 0;

const noon = (day) => new Date(`${day}T12:00`); // the same day in every time zone

// `days`: [{ day: "2026-11-01", cases: 3 }, ...], one bar each.
export function bars(title, days) {
  const id = `chart-${++number}`;
  const busiest = days.reduce((best, one) => (one.cases > best.cases ? one : best));
  const step = Math.max(1, Math.ceil(busiest.cases / 4));
  const most = Math.ceil(Math.max(busiest.cases, 1) / step) * step;
  const text =
    `Staafdiagram. Drukste dag: ${longFormat.format(noon(busiest.day))} met ${busiest.cases} aanvragen. ` +
    "Alle getallen staan in de tabel.";
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": text });
  svg.append(...grid(most, step), ...columns(days, most));
  const rows = days.toReversed().map((one) => [longFormat.format(noon(one.day)), one.cases]);
  return make(
    "figure",
    { class: "chart", "aria-labelledby": id },
    make("h2", { id, text: title }),
    svg,
    make("p", { class: "soft small", text: "Lichte staven zijn dagen in het weekend." }),
    make(
      "details",
      {},
      make("summary", { text: "Toon als tabel" }),
      make(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, tabel` },
        table(
          ["Dag", "Aanvragen"],
          rows.map(([name, cases]) => [name, String(cases)]),
        ),
      ),
    ),
  );
}

function grid(most, step) {
  const lines = [];
  for (let value = 0; value <= most; value += step) {
    const y = up(value, most);
    const label = drawn("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" });
    label.textContent = String(value);
    lines.push(drawn("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "grid" }), label);
  }
  return lines;
}

function columns(days, most) {
  const room = (WIDTH - LEFT) / days.length;
  const every = Math.ceil(days.length / 10); // dates that fit below
  const group = drawn("g", { class: "bars" });
  const dates = [];
  days.forEach(({ day, cases }, place) => {
    const date = noon(day);
    const x = LEFT + place * room;
    const y = up(cases, most);
    const kind = [0, 6].includes(date.getDay()) ? "weekend" : "weekday";
    const bar = drawn("rect", {
      x: x + room * 0.15,
      y,
      width: room * 0.7,
      height: up(0, most) - y,
      rx: Math.min(3, room * 0.2),
      class: kind,
    });
    const tip = drawn("title", {});
    tip.textContent = `${longFormat.format(date)}: ${cases}`;
    bar.append(tip);
    group.append(bar);
    if (place % every) return;
    const label = drawn("text", { x: x + room / 2, y: HEIGHT - 6, "text-anchor": "middle" });
    label.textContent = dayFormat.format(date);
    dates.push(label);
  });
  return [group, ...dates];
}

const up = (value, most) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - 12);

// `rows`: [[name, number], ...]; a table whose last column is a bar.
export function shares(title, column, rows, empty = "Nog geen gegevens.") {
  const id = `chart-${++number}`;
  const total = rows.reduce((sum, [, value]) => sum + value, 0);
  const most = Math.max(...rows.map(([, value]) => value), 1);
  const shown = rows.map(([name, value]) => [
    name,
    String(value),
    percent.format(value / (total || 1)),
    share(value, most),
  ]);
  return make(
    "figure",
    { class: "chart", "aria-labelledby": id },
    make("h2", { id, text: title }),
    total ? table([column, "Aantal", "Deel", ""], shown) : make("p", { class: "soft", text: empty }),
  );
}

function share(value, most) {
  const svg = drawn("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true", class: "bars" });
  svg.append(drawn("rect", { x: 0, y: 0, height: 8, width: (value / most) * 100 }));
  return svg;
}

// A cell is a text or an element; the first of a row is its heading, an element is a picture of the same number.
function table(heads, rows) {
  const kind = (place) => (place === 0 ? "" : place === 3 ? "share" : "number");
  return make(
    "table",
    {},
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        ...heads.map((text, place) => (text ? make("th", { scope: "col", class: kind(place), text }) : make("td", {}))),
      ),
    ),
    make(
      "tbody",
      {},
      ...rows.map((cells) =>
        make(
          "tr",
          {},
          ...cells.map((cell, place) => {
            if (place === 0) return make("th", { scope: "row", dir: "auto", text: cell });
            return typeof cell === "string"
              ? make("td", { class: kind(place), text: cell })
              : make("td", { class: kind(place) }, cell);
          }),
        ),
      ),
    ),
  );
}
