// What the page asks the site, besides sending octets. Each question has an end: a frozen circuit
// never says that it is one.

const PATIENCE = 60_000; // milliseconds
const TUS = { "Tus-Resumable": "1.0.0" };
const FORBIDDEN = 403; // nobody is logged in
const OTHER_SOURCE = 412;
const AT_ONCE = 500; // files that one question about sent files may name

export const UPLOADS = new URL("/uploads", location.href).href;

// Goes with every request: when another codename came in by another tab, nothing of this page's
// may arrive under that one.
export const MARK = { "Nightferry-Source": document.getElementById("send").dataset.source };

// Nothing can be sent from this page for now; `word` names the sentence that says why.
export class OutsideError extends Error {
  constructor(word = "outside") {
    super();
    this.word = word;
  }
}

// `isComplete`: all of the upload had arrived, and there is nothing left to send.
export class RefusedError extends Error {
  constructor(status, words, isComplete = false) {
    super();
    this.status = status;
    this.words = words;
    this.isComplete = isComplete;
  }
}

// Give the error that an answer stands for; `header` gives a header of it by name.
export function refusalOf(status, words, header) {
  if (status === OTHER_SOURCE) return new OutsideError("other_source");
  return new RefusedError(status, words.trim(), header("Upload-Complete") === "?1");
}

async function ask(address, options) {
  const headers = { ...MARK, ...options.headers };
  const request = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...options, headers };
  const answer = await fetch(address, request);
  if (!answer.ok) throw refusalOf(answer.status, await wordsOf(answer), (name) => answer.headers.get(name));
  return answer;
}

async function wordsOf(answer) {
  const text = await answer.text();
  try {
    return String(JSON.parse(text).error ?? "");
  } catch {
    return text; // tus has no JSON
  }
}

async function askJson(address, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  try {
    return await (await ask(address, { ...options, headers })).json();
  } catch (error) {
    if (error instanceof RefusedError && error.status === FORBIDDEN) throw new OutsideError();
    throw error;
  }
}

// What has arrived and what is unfinished. Stops no upload that is on its way.
export function lookAtDrop() {
  return askJson("/drop");
}

// Tell for each file, in their order, whether it was sent before.
export async function askWhatWasSent(files) {
  const sent = [];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const asked = files.slice(at, at + AT_ONCE).map(({ path, length, modified }) => ({ path, length, modified }));
    const body = JSON.stringify({ files: asked });
    const headers = { "Content-Type": "application/json" };
    sent.push(...(await askJson("/drop/sent", { method: "POST", headers, body })).sent);
  }
  return sent;
}

// Give the metadata that an unfinished upload was created with.
export async function metadataOf(url) {
  const answer = await ask(url, { method: "HEAD", headers: TUS });
  return decode(answer.headers.get("Upload-Metadata") ?? "");
}

// Give the address of the upload that a creation made whose answer may have been lost; it makes
// the upload if there is none.
export async function createAgain(file) {
  const headers = {
    ...TUS,
    "Upload-Length": String(file.length),
    "Upload-Metadata": encode(file.metadata),
    "Idempotency-Key": file.key,
  };
  const answer = await ask(UPLOADS, { method: "POST", headers });
  return new URL(answer.headers.get("Location"), UPLOADS).href;
}

function encode(metadata) {
  const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(metadata).map(([key, value]) => `${key} ${base64(value)}`).join(",");
}

function decode(header) {
  const text = (value) => new TextDecoder().decode(Uint8Array.from(atob(value), (c) => c.charCodeAt(0)));
  const pairs = header.split(",").map((pair) => pair.split(" "));
  return Object.fromEntries(pairs.map(([key, value = ""]) => [key, text(value)]));
}
