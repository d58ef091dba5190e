// What the page shows of the queue: counts, the few files on their way, those that did not arrive.
// Never a row for each file: thousands of rows make a page that nobody can use.

import { number, say, shown, size, span } from "./words.js";

const REDRAW = 250; // milliseconds
const SPEAK = 20_000; // milliseconds between two sentences of a screen reader
const MOST_ROWS = 50;

const element = (id) => document.getElementById(id);
const nameOf = ({ path, name }) => shown(path || name);

export class View {
  #queue;
  #rows = new Map();
  #failedShown = [];
  #isDue = false;
  #said = "";
  #saidAt = 0;

  show(queue) {
    this.#queue = queue;
  }

  // Draw soon: a hundred changes at once are drawn once.
  change() {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.#draw();
    }, REDRAW);
  }

  showUnfinished(unfinished) {
    const list = element("send-unfinished");
    list.hidden = unfinished.length === 0;
    const detail = ({ offset, length }) => say("row", { got: size(offset), length: size(length) });
    fillList(list, unfinished, detail);
  }

  speakOf(word) {
    element("send-mood").textContent = say(word);
    element("send-state").hidden = false;
    this.#speak(say(word), true);
  }

  #draw() {
    const queue = this.#queue;
    element("send-state").hidden = false;
    this.#drawWhole(queue);
    this.#drawActive(queue);
    this.#drawFailed(queue);
    const isOver = queue.all + queue.skipped > 0 && !queue.isBusy;
    element("send-look").hidden = !isOver;
    element("send-pause").hidden = !queue.isBusy && !queue.paused;
    element("send-pause").textContent = say(queue.paused ? "go_on" : "pause");
    element("send-again").hidden = queue.failed.length === 0 || queue.isBusy;
    element("send-advice").hidden = !queue.adviceIsDue;
    element("send-advice").textContent = queue.adviceIsDue ? say("advice") : "";
  }

  #drawWhole(queue) {
    const counts = { done: number(queue.done), all: number(queue.all) };
    const line = say("line", { ...counts, got: size(queue.arrived), total: size(queue.total) });
    element("send-line").textContent = queue.all > 0 ? line : "";
    element("send-progress").hidden = queue.all === 0;
    element("send-progress").max = queue.total || 1;
    element("send-progress").value = queue.total ? queue.arrived : Number(queue.done === queue.all);
    element("send-pace").textContent = paceOf(queue);
    const mood = moodOf(queue);
    element("send-mood").textContent = mood;
    this.#speak(queue.adviceIsDue ? say("advice") : `${mood} ${line}`, mood !== this.#said);
    this.#said = mood;
  }

  #drawActive(queue) {
    for (const [file, row] of this.#rows) {
      if (queue.active.has(file)) continue;
      row.remove();
      this.#rows.delete(file);
    }
    for (const file of queue.active) {
      if (!this.#rows.has(file)) this.#rows.set(file, this.#addRow(file));
      const row = this.#rows.get(file);
      const detail = say("row", { got: size(file.offset), length: size(file.length) });
      row.querySelector(".detail").textContent = detail;
      row.querySelector("progress").value = file.offset;
    }
  }

  #addRow(file) {
    const row = makeRow(nameOf(file), "");
    const bar = document.createElement("progress");
    bar.max = file.length || 1;
    bar.setAttribute("aria-label", nameOf(file));
    row.append(bar);
    element("send-active").append(row);
    return row;
  }

  #drawFailed(queue) {
    const isSame = (file, place) => file === this.#failedShown[place];
    if (queue.failed.length === this.#failedShown.length && queue.failed.every(isSame)) return;
    this.#failedShown = [...queue.failed];
    const list = element("send-failed");
    list.hidden = queue.failed.length === 0;
    fillList(list, queue.failed, (file) => file.words || say("refused"));
  }

  // A screen reader says news at once and numbers now and then.
  #speak(sentence, isNews) {
    if (!isNews && Date.now() - this.#saidAt < SPEAK) return;
    this.#saidAt = Date.now();
    element("send-said").textContent = sentence;
  }
}

function paceOf(queue) {
  if (!queue.isBusy || queue.paused) return "";
  const speed = queue.pace.speed;
  if (!speed) return say("measuring");
  const left = span((queue.total - queue.arrived) / speed);
  return say("pace", { speed: size(speed), left });
}

function moodOf({ mood, done, failed, skipped }) {
  const values = { ...mood.values, done: number(done), failed: number(failed.length) };
  const sentences = mood.word ? [say(mood.word, values)] : [];
  if (skipped > 0) sentences.push(say("skipped", { count: number(skipped) }));
  return sentences.join(" ");
}

function fillList(box, files, detail) {
  const rows = files.slice(0, MOST_ROWS).map((file) => makeRow(nameOf(file), detail(file)));
  box.querySelector("ul").replaceChildren(...rows);
  const more = box.querySelector(".more");
  more.hidden = files.length <= MOST_ROWS;
  more.textContent = more.hidden ? "" : say("more", { count: number(files.length - MOST_ROWS) });
}

function makeRow(name, detail) {
  const row = document.createElement("li");
  const title = document.createElement("bdi");
  title.className = "name";
  title.textContent = name;
  const text = document.createElement("span");
  text.className = "detail";
  text.textContent = detail;
  row.append(title, text);
  return row;
}
