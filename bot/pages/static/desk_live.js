// What happens elsewhere, as it happens: one event stream, which comes back by itself.
import { why } from "./desk_api.js";

const EVENTS = "/desk/api/events";
const AGAIN = 3000; // milliseconds
const STALE = 60_000; // hidden for longer than this: the stream may be dead without anybody telling

// `hear`: { case, typing, viewers } with the event's data, `found()` when (back) online, `lost(why)` when not.
export function listen(hear) {
  let stream = null;
  let hidden = 0;

  function open() {
    stream?.close();
    stream = new EventSource(EVENTS);
    stream.addEventListener("open", () => hear.found());
    for (const name of ["case", "typing", "viewers"]) {
      stream.addEventListener(name, (event) => hear[name](JSON.parse(event.data)));
    }
    stream.addEventListener("error", () => {
      hear.lost();
      if (stream.readyState === EventSource.CLOSED) setTimeout(again, AGAIN); // a refusal instead of a stream
    });
  }

  async function again() {
    const refusal = await why(EVENTS);
    if (!refusal) return open();
    hear.lost(refusal);
    setTimeout(again, AGAIN);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hidden = Date.now();
    else if (Date.now() - hidden > STALE) open();
  });
  addEventListener("online", open);
  addEventListener("offline", () => hear.lost());
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}

// A function that does `work` at once, never twice at a time, and once more when it was asked for meanwhile;
// between two starts there are at least `pause` milliseconds. Resolves when work that began after the call is done.
export function paced(work, pause = 0) {
  let running = Promise.resolve();
  let next = null; // asked for, not begun yet
  let started = -Infinity;

  async function run(before) {
    await before;
    const wait = started + pause - performance.now();
    if (wait > 0) await new Promise((wake) => setTimeout(wake, wait));
    next = null;
    started = performance.now();
    await work();
  }

  return () => {
    if (!next) {
      next = run(running);
      running = next.catch(() => {});
    }
    return next;
  };
}
