// One file, until the site has all of it. tus-js-client makes the requests; what to do when one
// fails is decided here, because it would begin again from the first octet where we go on.

import "./nostorage.js";
import "./vendor/tus.min.js";
import { nextLength, ONE_REQUEST } from "./pace.js";
import { isSame, takeSample } from "./sameness.js";
import {
  createAgain,
  lookAtDrop,
  MARK,
  metadataOf,
  OutsideError,
  RefusedError,
  refusalOf,
  UPLOADS,
} from "./server.js";
import { say } from "./words.js";

const { Upload } = window.tus;

const FIRST_WAIT = 1; // seconds; doubled each time, for ever
const LONGEST_WAIT = 60;
const UNKNOWN = [404, 410]; // the site has no such upload for us
const FOR_NOW = [408, 409, 423, 425, 429];

export class PausedError extends Error {}
export class StalledError extends Error {}

// This file will not arrive; `words` say why.
export class NotTakenError extends Error {
  constructor(words) {
    super();
    this.words = words;
  }
}

// Send a file. Returns when the site has all of it; NotTakenError, OutsideError. `desk` is the
// queue: it says when to go on, hears of progress and trouble, and can stop an attempt.
export async function send(file, desk) {
  for (let fails = 0; ; fails += 1) {
    await desk.turn();
    const before = file.offset;
    try {
      await begin(file, desk);
      await desk.turn(); // paused while the site was asked
      await attempt(file, desk);
      return;
    } catch (error) {
      if (isOver(error, file)) {
        desk.found(file, file.length);
        return;
      }
      if (file.offset > before) fails = 0;
      await recover(error, file, desk, fails);
    }
  }
}

// All of it had arrived so long ago that the site knows nothing more of it. What was begun in
// another visit may still be another file of the same name: that is no proof.
function isOver(error, file) {
  return error instanceof RefusedError && error.isComplete && file.begun.length === 0;
}

// Find out whether this upload exists already: begun in another visit, or by a request whose
// answer was lost.
async function begin(file, desk) {
  file.metadata ??= await describe(file);
  file.key ??= newKey();
  if (file.begun.length > 0) await goOnWithBegun(file, desk);
  if (!file.url && file.asked) file.url = await createAgain(file);
  file.asked = true;
}

async function describe({ file, path, name, modified }) {
  const sample = await takeSample(file);
  const facts = { filename: name, relativePath: path, lastModified: String(modified), filetype: file.type, sample };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value));
}

function newKey() {
  const octets = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

async function goOnWithBegun(file, desk) {
  for (const entry of file.begun) {
    if (entry.length === file.length && isSame(await metadataOf(entry.url), file)) {
      file.url = new URL(entry.url, UPLOADS).href;
      desk.found(file, entry.offset);
      file.begun = [];
      return;
    }
  }
  if (file.begun.some((entry) => entry.isNamesake)) throw new NotTakenError(say("other_file"));
  file.begun = [];
}

// One go of tus-js-client's, until the file is whole, something fails, or the desk stops it.
function attempt(file, desk) {
  const signal = desk.startAttempt(file);
  let begun = 0;
  const octets = () => (file.length > ONE_REQUEST ? desk.requestLength : ONE_REQUEST);
  return new Promise((give, fail) => {
    const upload = new Upload(file.file, {
      // With an address to go on at, there is none to begin at: it would begin anew after any no.
      endpoint: file.url ? null : UPLOADS,
      uploadUrl: file.url,
      metadata: file.metadata,
      headers: MARK,
      chunkSize: octets(),
      uploadDataDuringCreation: true,
      retryDelays: null,
      storeFingerprintForResuming: false,
      fingerprint: async () => null,
      onBeforeRequest(request) {
        begun = Date.now();
        if (request.getMethod() === "POST") request.setHeader("Idempotency-Key", file.key);
      },
      onAfterResponse(request, answer) {
        const offset = Number.parseInt(answer.getHeader("Upload-Offset") ?? "", 10);
        if (Number.isNaN(offset)) return;
        if (offset - file.offset >= upload.options.chunkSize) {
          desk.requestLength = nextLength(offset - file.offset, (Date.now() - begun) / 1000);
          upload.options.chunkSize = octets();
        }
        desk.moved(file, offset);
      },
      onUploadUrlAvailable() {
        file.url = upload.url;
      },
      onSuccess: give,
      onError: (error) => fail(asOurs(error)),
    });
    signal.addEventListener("abort", () => {
      upload.abort();
      fail(signal.reason);
    });
    upload.start();
  }).finally(() => desk.endAttempt(file));
}

function asOurs(error) {
  const answer = error.originalResponse;
  if (!answer || answer.getStatus() < 400) return error;
  const refused = refusalOf(answer.getStatus(), answer.getBody() ?? "", (name) => answer.getHeader(name));
  refused.wait = Number.parseInt(answer.getHeader("Retry-After") ?? "0", 10);
  return refused;
}

// Return when it is time to try again, or throw if that is of no use.
async function recover(error, file, desk, fails) {
  if (error instanceof PausedError) return;
  if (error instanceof OutsideError || error instanceof NotTakenError) throw error;
  if (error instanceof StalledError) return;
  if (error.name === "TimeoutError") {
    desk.noteSilence();
    return;
  }
  if (error instanceof RefusedError && !isForNow(error)) {
    await recoverFromNo(error, file, desk, fails);
    return;
  }
  await requireReadable(file);
  await rest(error, desk, fails);
}

async function rest(error, desk, fails) {
  const wait = Math.max(error.wait || 0, Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** fails));
  // Not all at the same moment.
  await desk.rest(Math.ceil(wait * (1 + Math.random() / 4)), error.status >= 500 ? error.words : "");
}

function isForNow({ status }) {
  return status >= 500 || FOR_NOW.includes(status);
}

async function recoverFromNo(error, file, desk, fails) {
  // Without a session every upload is unknown, and nothing is taken: then it is no fault of the file's.
  if (UNKNOWN.includes(error.status) || error.status === 403) {
    try {
      await lookAtDrop();
    } catch (trouble) {
      if (trouble instanceof OutsideError) throw trouble;
      await rest(trouble, desk, fails);
      return;
    }
  }
  if (!UNKNOWN.includes(error.status)) throw new NotTakenError(error.words || say("refused"));
  if (file.renewed) throw new NotTakenError(error.words || say("gone"));
  desk.lost(file);
  Object.assign(file, { renewed: true, asked: false, url: null, key: null, begun: [] });
}

async function requireReadable({ file, length }) {
  try {
    // A file that was moved or changed fails here, with or without a connection.
    await file.slice(Math.max(0, length - 1), length).arrayBuffer();
  } catch {
    throw new NotTakenError(say("unreadable"));
  }
}
