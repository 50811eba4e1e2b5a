// What this page knows now. Only desk_queue.js and desk_case.js change it.
export const state = {
  me: null, // GET me
  view: "open", // the tab
  lists: { open: [], mine: [], closed: [] }, // cases per tab
  key: null, // of the case that is open
  acting: null, // key of the case this coach is doing something with just now
  shown: null, // that case as it was last fetched: { case, lines, notes }
};

export const isMine = (found) => found.state === "taken" && found.coach?.id === state.me.id;
export const isSnoozed = (found) => Boolean(found.snoozed_until) && new Date(found.snoozed_until) > new Date();
export const isWaiting = (found) => found.state === "waiting" && !isSnoozed(found);
