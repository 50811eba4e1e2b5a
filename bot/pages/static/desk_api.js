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

// Goes along with every change as Idempotency-Key: a browser whose line breaks may send a request again by itself.
export const fresh = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

// The same `once` again is the same change.
export async function post(path, body = {}, once = fresh()) {
  const used = csrf;
  try {
    return await ask(path, written(body, once));
  } catch (problem) {
    if (problem.status !== 403) throw problem;
    await me(); // logged in again in another tab: this page's token is old
    if (csrf === used) throw problem;
    return ask(path, written(body, once));
  }
}

export const act = (key, action, body, once) => post(`cases/${encodeURIComponent(key)}/${action}`, body, once);

export const attachment = (key, position) => `${ROOT}cases/${encodeURIComponent(key)}/attachments/${position}`;

function written(body, once) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf, "Idempotency-Key": once };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(ROOT + path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Problem(0, "offline", "Er is geen verbinding. Kijk of je internet werkt; wat je typte blijft staan.");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer.json().catch(() => ({}));
}

// Why an address does not answer as it should: a Dutch sentence, "" for a broken line, null when all is well.
export async function why(address) {
  const abort = new AbortController();
  try {
    const answer = await fetch(address, { cache: "no-store", signal: abort.signal });
    return answer.ok ? null : (await refusal(answer)).message;
  } catch {
    return "";
  } finally {
    abort.abort(); // a stream would go on for ever
  }
}

async function refusal(answer) {
  if (answer.status === 401) location.assign("/desk/login");
  const found = await answer.json().catch(() => null);
  const { code = "broken", message } = found?.error ?? {};
  return new Problem(answer.status, code, message ?? "Er ging iets mis. Probeer het over een minuut nog eens.");
}
