"""What makes the contact sheet lively: its script and its style. Both stand in the page, named by hash.

The script gets the entries as data, writes text as text only, and never has more cards in the page
than one page holds. It stores nothing: notes leave it as CSV, and come back from there.
"""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.4 sans-serif; margin: 1rem auto; padding: 0 1rem; max-width: 80rem; }
h1 { font-size: 1.4rem; margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { border-bottom: 1px solid #8888; padding: .3rem; text-align: left; vertical-align: top; }
td, dd, .name { overflow-wrap: anywhere; }
img { max-width: 160px; max-height: 120px; display: block; }
nav, #tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: 1rem 0; }
#tools { position: sticky; top: 0; background: Canvas; padding: .5rem 0; z-index: 1; }
#tools label { display: grid; font-size: .8rem; }
input, select, button, textarea { font: inherit; }
.warning { border-left: .3rem solid #c60; padding-left: .6rem; }
#cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem;
  list-style: none; padding: 0; }
#cards li { border: 1px solid #8888; border-radius: .4rem; padding: .5rem; font-size: .85rem;
  min-width: 0; overflow-wrap: anywhere; }
#cards .frame { height: 135px; display: grid; place-items: center; background: #8882; }
#cards img { max-width: 100%; max-height: 135px; }
.name { font-weight: bold; margin: .3rem 0; }
.small { font-size: .85rem; }
textarea { width: 100%; box-sizing: border-box; }
[hidden] { display: none !important; }
"""

SCRIPT = r"""
"use strict";
(() => {
  const PAGE = 60;
  const all = JSON.parse(document.getElementById("entries").textContent);
  const notes = new Map();
  const byId = (id) => document.getElementById(id);
  let page = 0, found = [], unsaved = false;

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const words = all.map((e) => [e.name, e.place, e.codec, e.kind, e.recorded, e.received, e.what]
    .join(" ").toLowerCase());
  all.forEach((e, number) => { e.number = number; });
  const groups = new Map();
  all.forEach((e) => {
    if (!groups.has(e.digest)) groups.set(e.digest, []);
    groups.get(e.digest).push(e);
  });
  const numbers = (key, sign) => (a, b) => sign * (a[key] - b[key]) || a.number - b.number;
  const texts = (key) => (a, b) =>
    (a[key] ? 0 : 1) - (b[key] ? 0 : 1) || (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0)
    || a.number - b.number;
  const orders = {
    name: (a, b) => a.number - b.number,
    recorded: texts("recorded"), received: texts("received"), modified: texts("modified"),
    longest: numbers("seconds", -1), shortest: numbers("seconds", 1),
    largest: numbers("size", -1), smallest: numbers("size", 1),
  };

  const choose = () => {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = byId("kind").value, only = byId("only").value;
    found = all.filter((e) => {
      const own = words[e.number] + " " + (notes.get(e.place) || "").toLowerCase();
      if (!wanted.every((word) => own.includes(word))) return false;
      if (kind && e.kind !== kind) return false;
      if (only === "duplicates") return groups.get(e.digest).length > 1;
      if (only === "noted") return notes.has(e.place);
      if (only === "partial") return e.partial;
      return true;
    });
    if (only === "once") {
      const had = new Set();
      found = found.filter((e) => !had.has(e.digest) && had.add(e.digest));
    }
    found.sort(orders[byId("sort").value]);
    if (only === "duplicates") {
      const first = new Map();
      found.forEach((e, at) => { if (!first.has(e.digest)) first.set(e.digest, at); });
      found.sort((a, b) => first.get(a.digest) - first.get(b.digest));
    }
    page = 0;
    show();
  };

  const card = (e) => {
    const item = element("li");
    const frame = element(e.link ? "a" : "div", "", "frame");
    if (e.link) { frame.href = e.link; frame.target = "_blank"; frame.rel = "noopener noreferrer"; }
    if (e.thumbnail) {
      const image = element("img");
      image.src = e.thumbnail;
      image.alt = "";
      frame.append(image);
    } else frame.append(element("span", e.kind));
    const name = element("div", "", "name");
    name.append(element("bdi", e.name));
    const facts = element("div", [e.length, e.pixels, e.codec, e.amount].filter(Boolean).join(" · "));
    item.append(frame, name, facts);
    const say = (text) => { if (text) item.append(element("div", text)); };
    say(e.recorded && "Recorded: " + e.recorded);
    say(e.modified && "Time of the file: " + e.modified);
    say(e.received && "Received: " + e.received);
    say(e.partial && "PARTIAL: its end is missing");
    say(e.trouble);
    const others = groups.get(e.digest).filter((other) => other !== e);
    if (others.length) {
      const more = element("details");
      more.append(element("summary", "The same content elsewhere: " + others.length));
      others.slice(0, 50).forEach((other) => {
        const line = element("div");
        line.append(element("bdi", other.place));
        more.append(line);
      });
      item.append(more);
    }
    const place = element("div", "", "small");
    place.append(element("bdi", e.place));
    const label = element("label", "Note ");
    const note = element("textarea");
    note.rows = 1;
    note.value = notes.get(e.place) || "";
    note.addEventListener("input", () => {
      if (note.value.trim()) notes.set(e.place, note.value); else notes.delete(e.place);
      unsaved = true;
      count();
    });
    label.append(note);
    item.append(place, label);
    return item;
  };

  const count = () => {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    byId("count").textContent = found.length + " of " + all.length + " files, page "
      + (page + 1) + " of " + pages + "; " + notes.size + " notes"
      + (unsaved ? ", not saved yet" : "");
    byId("previous").disabled = page === 0;
    byId("next").disabled = page + 1 >= pages;
  };
  const show = () => {
    byId("cards").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(card));
    count();
  };
  const turn = (by) => { page += by; show(); scrollTo(0, 0); };

  // A cell that a spreadsheet would take for a formula gets an apostrophe in front.
  const cell = (text) => '"' + (/^[=+\-@\t\r']/.test(text) ? "'" + text : text)
    .replaceAll('"', '""') + '"';
  const uncell = (text) => /^'[=+\-@\t\r']/.test(text) ? text.slice(1) : text;
  const FIELDS = ["place", "name", "kind", "length", "codec", "recorded", "received", "size", "digest"];
  const save = () => {
    const rows = [[...FIELDS, "note"].map(cell).join(",")];
    all.forEach((e) => {
      const note = notes.get(e.place);
      if (note) rows.push([...FIELDS.map((f) => String(e[f])), note].map(cell).join(","));
    });
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([rows.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = "notes.csv";
    link.click();
    unsaved = false;
    count();
  };
  const parse = (text) => {
    const rows = [[""]];
    let quoted = false;
    for (let i = 0; i < text.length; i += 1) {
      const c = text[i], row = rows[rows.length - 1];
      if (quoted && c === '"' && text[i + 1] === '"') { row[row.length - 1] += c; i += 1; }
      else if (c === '"') quoted = !quoted;
      else if (!quoted && c === ",") row.push("");
      else if (!quoted && c === "\n") rows.push([""]);
      else if (quoted || c !== "\r") row[row.length - 1] += c;
    }
    return rows;
  };
  const load = async () => {
    const file = byId("load").files[0];
    if (!file) return;
    const [head, ...rows] = parse((await file.text()).replace(/^\uFEFF/, ""));
    const place = head.indexOf("place"), note = head.indexOf("note");
    const known = new Set(all.map((e) => e.place));
    rows.forEach((row) => {
      const where = uncell(row[place] || ""), text = uncell(row[note] || "");
      if (known.has(where) && text) notes.set(where, text);
    });
    choose();
  };

  ["search", "kind", "only", "sort"].forEach((id) => byId(id).addEventListener("input", choose));
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  byId("save").addEventListener("click", save);
  byId("load").addEventListener("change", load);
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  document.getElementById("plain").hidden = true;
  document.getElementById("lively").hidden = false;
  choose();
})();
"""
