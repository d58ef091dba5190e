// The source's page, with a script: it waits for files, and shows what becomes of them.

import { fromDrop, fromInput, readEntries } from "./choosing.js";
import { Queue } from "./queue.js";
import { lookAtDrop } from "./server.js";
import { View } from "./view.js";
import { say } from "./words.js";

const element = (id) => document.getElementById(id);
const view = new View();
const queue = new Queue(() => view.change());
let mayLeave = false;

async function take(files, unread = [], again = []) {
  element("send-unfinished").hidden = true;
  // It counts what had arrived when the page came, and would contradict what is shown from now on.
  element("arrived").closest("section").hidden = true;
  const words = ({ entry }) => say(entry.isFile ? "unreadable" : "unreadable_folder");
  const named = unread.map((one) => ({ ...one, words: words(one) }));
  await queue.add(files, named, again);
}

async function takeDragged(reading, again = []) {
  view.speakOf("reading");
  const { found, unread } = await reading;
  await take(found, unread, again);
}

function listen() {
  for (const input of [element("send-folder"), element("send-files")]) {
    input.addEventListener("change", () => {
      const files = fromInput(input);
      // The same choice again is a change again.
      input.value = "";
      take(files);
    });
  }
  const box = element("send-drop");
  // Beside the box a file would be opened by the browser, and the page left.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.toggle("over", box.contains(event.target));
  });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    box.classList.remove("over");
    if (!box.contains(event.target)) return;
    takeDragged(fromDrop(event.dataTransfer));
  });
  element("send-pause").addEventListener("click", () => (queue.paused ? queue.goOn() : queue.pause()));
  element("send-again").addEventListener("click", () => {
    const unread = queue.unread;
    queue.tryFailedAgain();
    if (unread.length > 0) takeDragged(readEntries(unread.map(({ entry }) => entry)), unread);
  });
  element("send-remember")?.addEventListener("click", () => {
    element("remember-choice").closest("details").open = true;
  });
  addEventListener("online", () => queue.wakeUp());
  // Whoever has to leave quickly is not asked twice.
  addEventListener("submit", (event) => {
    mayLeave ||= event.target.getAttribute("action") === "/session/end";
  });
  addEventListener("beforeunload", (event) => {
    if (queue.isBusy && !mayLeave) event.preventDefault();
  });
}

// The form for browsers without scripts stays, folded away.
function foldPlainForm() {
  const plain = document.getElementById("files")?.closest("section");
  if (plain) element("send-plain").append(plain);
  else element("send-plain").hidden = true;
  const unfinished = document.getElementById("unfinished")?.closest("section");
  if (unfinished) unfinished.hidden = true;
}

async function greet() {
  try {
    const { unfinished } = await lookAtDrop();
    if (queue.all === 0) view.showUnfinished(unfinished);
  } catch {
    // The page itself came; what is unfinished is asked again when files are chosen.
  }
}

view.show(queue);
listen();
foldPlainForm();
element("send").hidden = false;
greet();
