// Words for people. The texts are the page's own: here they only get their numbers and names.

const KILOBYTE = 1000; // as the page and file managers count
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

// Characters that hide, or move the text around them; joiners make one letter of several.
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const texts = new Map();
for (const span of document.getElementById("words").content.querySelectorAll("[data-word]")) {
  texts.set(span.dataset.word, span.textContent);
}

export function say(word, values = {}) {
  return texts.get(word).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function number(value, decimals = 0) {
  return value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: decimals });
}

// In whole tenths, never rounded up: "all of it arrived" is not said of a file that lacks an octet.
export function size(octets) {
  let power = 0;
  while (octets >= KILOBYTE ** (power + 1) && power < UNITS.length - 1) power += 1;
  const tenths = Math.floor((10 * octets) / KILOBYTE ** power);
  return say(UNITS[power], { n: number(tenths / 10, 1) });
}

export function span(seconds) {
  if (seconds < MINUTE) return say("left_little");
  const minutes = Math.ceil((seconds % HOUR) / MINUTE);
  if (seconds < HOUR) return say("left_minutes", { minutes: number(minutes) });
  const hours = Math.floor((seconds % DAY) / HOUR);
  if (seconds < DAY) {
    return say("left_hours", { hours: number(hours), minutes: number(minutes) });
  }
  return say("left_days", { days: number(Math.floor(seconds / DAY)), hours: number(hours) });
}

export function shown(name) {
  const code = (mark) => mark.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return name.replace(HIDDEN, (mark) => `[U+${code(mark)}]`);
}
