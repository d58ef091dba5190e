// Many files: a few at a time, in bounded memory. Of what has arrived only a number is kept.

import { Pace } from "./pace.js";
import { NotTakenError, PausedError, send, StalledError } from "./sending.js";
import { askWhatWasSent, lookAtDrop, OutsideError, UPLOADS } from "./server.js";

const AT_ONCE = 3;
const LOOK_OVER = 5_000; // milliseconds between two looks at who is silent
const ASK_AFTER = 30_000; // of silence: is it slow, or dead? The site's own page knows
const STALLED_AFTER = 90_000; // of silence
const BETWEEN_STALLS = 30_000; // what goes silent together is one stall
const ADVISING = 60_000; // of being heard again: then the advice goes
const READING = 10_000; // so long the words about a stall stay, also if all goes well at once

const nameOf = ({ path, name }) => path || name;
const knownAs = (file) => `${file.modified} ${file.length} ${nameOf(file)}`;

export class Queue {
  all = 0;
  done = 0;
  skipped = 0;
  total = 0; // octets
  arrived = 0; // octets, by what the site says
  failed = [];
  active = new Set();
  paused = false;
  adviceIsDue = false;
  mood = { word: "", values: {} };
  pace = new Pace();
  requestLength = 1 << 20; // octets; adapts to the connection

  #waiting = [];
  #known = new Set();
  #attempts = new Map();
  #wakers = new Set();
  #stalls = 0;
  #lastStall = 0;
  #silentAt = 0;
  #askedAt = 0;
  #changed;

  // `changed` is called after anything that can be seen.
  constructor(changed) {
    this.#changed = changed;
    setInterval(() => this.#lookOver(), LOOK_OVER);
  }

  get isBusy() {
    return this.active.size > 0 || this.#waiting.length > 0;
  }

  // Take files in, and leave out what was sent before. Returns when they are on their way.
  // `unread`: what the browser cannot read; `again`: what of that it has been asked for once more.
  async add(found, unread = [], again = []) {
    this.#nameUnread(unread, again);
    const fresh = found.filter((file) => this.#isNew(file));
    if (fresh.length === 0) {
      if (unread.length > 0) this.#fill();
      else if (!this.isBusy) this.#feel("nothing");
      return;
    }
    const drop = await this.#insist(lookAtDrop);
    const files = drop.remembers ? await this.#withoutSent(fresh) : fresh;
    const begun = this.#othersBegun(drop.unfinished);
    this.#dropFailed(files);
    for (const file of files) this.#prepare(file, begun);
    // What was begun comes first: it is nearest to its end.
    files.sort((one, other) => other.begun.length - one.begun.length);
    this.#waiting = files.reverse().concat(this.#waiting); // taken from its end
    this.#fill();
  }

  pause() {
    this.paused = true;
    this.#feel("paused");
    for (const attempt of this.#attempts.values()) attempt.abort(new PausedError());
    this.#wake();
  }

  goOn() {
    this.paused = false;
    this.#feel("sending");
    this.pace.begin();
    this.#wake();
    this.#fill();
  }

  get unread() {
    return this.failed.filter((one) => one.entry);
  }

  tryFailedAgain() {
    const again = this.failed.filter((one) => !one.entry);
    this.failed = this.unread;
    for (const file of again) Object.assign(file, { words: "", renewed: false });
    this.#waiting.push(...again);
    this.#fill();
  }

  wakeUp() {
    if (!this.paused) this.#wake();
  }

  // --- what `send` asks for

  async turn() {
    while (this.paused) await new Promise((give) => this.#wakers.add(give));
  }

  async rest(seconds, words) {
    if (this.paused) return;
    this.#feel(words ? "server" : "broken", { words, seconds });
    await new Promise((give) => {
      this.#wakers.add(give);
      setTimeout(give, seconds * 1000);
    });
  }

  startAttempt(file) {
    const controller = new AbortController();
    this.#attempts.set(file, controller);
    file.movedAt = Date.now();
    return controller.signal;
  }

  endAttempt(file) {
    this.#attempts.delete(file);
  }

  // An upload of an earlier visit: what it has is no news.
  found(file, offset) {
    this.arrived += offset - file.offset;
    file.offset = offset;
    this.#changed();
  }

  moved(file, offset) {
    file.movedAt = Date.now();
    this.pace.moved(Math.max(0, offset - file.offset));
    // One answer on a new connection is no proof that this one lives.
    if (Date.now() - this.#silentAt > ADVISING) this.adviceIsDue = false;
    this.found(file, offset);
    const isRead = this.mood.word !== "stalled" || Date.now() - this.#silentAt > READING;
    if (!this.paused && isRead) this.#feel("sending");
  }

  lost(file) {
    this.found(file, 0);
  }

  // --- from one file to the next

  #isNew(file) {
    if (this.#known.has(knownAs(file))) return false;
    this.#known.add(knownAs(file));
    return true;
  }

  async #withoutSent(files) {
    this.#feel("asking");
    const sent = await this.#insist(() => askWhatWasSent(files.map((file) => ({ ...file, path: nameOf(file) }))));
    const rest = files.filter((_, place) => !sent[place]);
    this.skipped += files.length - rest.length;
    return rest;
  }

  // Unfinished uploads by name, without those of this very page.
  #othersBegun(unfinished) {
    const own = new Set();
    for (const file of [...this.active, ...this.#waiting]) {
      if (file.url) own.add(new URL(file.url).pathname);
      else if (this.active.has(file)) own.add(`${file.length} ${nameOf(file)}`);
    }
    const begun = new Map();
    for (const entry of unfinished) {
      if (own.has(entry.url) || own.has(`${entry.length} ${nameOf(entry)}`)) continue;
      for (const name of new Set([nameOf(entry), entry.name])) {
        const isNamesake = name === nameOf(entry);
        begun.set(name, [...(begun.get(name) ?? []), { ...entry, isNamesake }]);
      }
    }
    return begun;
  }

  // What did not arrive and is chosen again has its second chance there. The name alone proves
  // nothing: every camera writes an IMG_0001.
  #dropFailed(chosen) {
    const again = new Set(chosen.map(knownAs));
    for (const file of this.failed.filter((one) => again.has(knownAs(one)))) {
      this.all -= 1;
      this.total -= file.length;
      this.arrived -= file.offset;
    }
    this.failed = this.failed.filter((one) => !again.has(knownAs(one)));
  }

  #nameUnread(unread, again) {
    this.#dropFailed([...again, ...unread]);
    this.all += unread.length;
    this.failed.push(...unread);
  }

  #prepare(file, begun) {
    const fresh = { begun: begun.get(nameOf(file)) ?? [], offset: 0, url: null, key: null, words: "" };
    Object.assign(file, fresh);
    this.all += 1;
    this.total += file.length;
  }

  #fill() {
    while (!this.paused && this.active.size < AT_ONCE && this.#waiting.length > 0) {
      if (this.active.size === 0) this.pace.begin();
      this.#take(this.#waiting.pop());
    }
    if (!this.isBusy && this.all + this.skipped > 0) {
      this.adviceIsDue = false;
      this.#feel(this.failed.length > 0 ? "done_partly" : "done");
    }
    this.#changed();
  }

  async #take(file) {
    this.active.add(file);
    if (!this.mood.word || this.mood.word !== "broken") this.#feel("sending");
    try {
      await send(file, this);
      this.done += 1;
    } catch (error) {
      this.#fail(file, error);
    }
    this.active.delete(file);
    this.#fill();
  }

  #fail(file, error) {
    if (error instanceof OutsideError) {
      // Once inside again, perhaps by another tab, it can go on.
      this.#waiting.push(file);
      this.pause();
      this.#feel(error.word);
      return;
    }
    this.failed.push(file);
    this.#known.delete(knownAs(file)); // the right one may look the same
    file.words = error.words ?? "";
    if (!(error instanceof NotTakenError)) reportError(error);
  }

  // --- silence

  #lookOver() {
    const now = Date.now();
    let mustAsk = false;
    for (const [file, attempt] of this.#attempts) {
      const silent = now - file.movedAt;
      if (silent > STALLED_AFTER) this.#stall(attempt);
      else mustAsk ||= silent > ASK_AFTER;
    }
    if (mustAsk && now - this.#askedAt > ASK_AFTER) this.#askHowFar();
  }

  #stall(attempt) {
    this.noteSilence();
    attempt.abort(new StalledError());
  }

  noteSilence() {
    this.#silentAt = Date.now();
    if (Date.now() - this.#lastStall > BETWEEN_STALLS) {
      this.#stalls += 1;
      this.#lastStall = Date.now();
    }
    this.adviceIsDue = this.#stalls > 1;
    this.#feel("stalled");
  }

  async #askHowFar() {
    this.#askedAt = Date.now();
    let unfinished;
    try {
      ({ unfinished } = await lookAtDrop());
    } catch {
      return; // the silence goes on, and will be a stall
    }
    for (const file of this.#attempts.keys()) {
      const path = file.url && new URL(file.url, UPLOADS).pathname;
      const isThis = (entry) =>
        path ? entry.url === path : nameOf(entry) === nameOf(file) && entry.length === file.length;
      const entry = unfinished.find(isThis);
      if (entry && entry.offset > file.offset) this.moved(file, entry.offset);
    }
  }

  // --- moods

  async #insist(question) {
    for (let fails = 0; ; fails += 1) {
      try {
        return await question();
      } catch (error) {
        if (error instanceof OutsideError) {
          this.pause();
          this.#feel(error.word);
          await this.turn();
        } else {
          await this.rest(Math.min(60, 2 ** fails), error.words ?? "");
          await this.turn();
        }
      }
    }
  }

  #feel(word, values = {}) {
    this.mood = { word, values };
    this.#changed();
  }

  #wake() {
    for (const give of this.#wakers) give();
    this.#wakers.clear();
  }
}
