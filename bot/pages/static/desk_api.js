// Talking to /desk/api: every failure becomes a Problem with a sentence for the coach, none is swallowed.
const ROOT = "/desk/api/";
const PATIENCE = 20_000; // milliseconds

export class Problem extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get offline() {
    return this.status === 0;
  }
}

let csrf = "";

export async function me() {
  const found = await get("me");
  csrf = found.csrf;
  return found;
}

export const get = (path) => ask(path, {});

export async function post(path, body = {}) {
  const used = csrf;
  try {
    return await ask(path, written(body));
  } catch (problem) {
    if (problem.status !== 403) throw problem;
    await me(); // logged in again in another tab: this page's token is old
    if (csrf === used) throw problem;
    return ask(path, written(body));
  }
}

export const act = (key, action, body) => post(`cases/${encodeURIComponent(key)}/${action}`, body);

export const attachment = (key, position) => `${ROOT}cases/${encodeURIComponent(key)}/attachments/${position}`;

function written(body) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(ROOT + path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Problem(0, "offline", "Er is geen verbinding. Kijk of je internet werkt; wat je typte blijft staan.");
  }
  if (answer.status === 401) {
    location.assign("/desk/login");
    throw new Problem(401, "logged_out", "Je bent uitgelogd.");
  }
  const found = await answer.json().catch(() => null);
  if (answer.ok) return found ?? {};
  const { code = "broken", message } = found?.error ?? {};
  throw new Problem(answer.status, code, message ?? "Er ging iets mis. Probeer het over een minuut nog eens.");
}
