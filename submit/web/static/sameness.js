// Is this the file that was begun before? Only then may it go on: else two files become one.
//
// A long file has a sample, which goes with the upload at creation, as metadata, and comes back to
// its owner alone. It is read at 16 places: cameras write the same head into every file, and the
// whole of forty gigabytes is too much to read twice. Time alone would not do: the same stick
// shows other times on another computer. Without a sample, length and time must both be the same.

const PLACES = 16;
const PLACE = 65_536; // octets
const SHORT = 4 << 20; // octets; so much is one request, and seldom stays unfinished

// Give a few letters that another file has not; none for a short file, or if the browser has no
// way to make them (only onion and https pages have).
export async function takeSample(file) {
  if (file.size <= SHORT || !globalThis.crypto?.subtle) return "";
  const step = (file.size - PLACE) / (PLACES - 1);
  const starts = Array.from({ length: PLACES }, (_, place) => Math.floor(place * step));
  const parts = starts.map((start) => file.slice(start, start + PLACE));
  const octets = await new Blob(parts).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

// `metadata`: what the upload was created with. The caller has compared the lengths.
export function isSame(metadata, file) {
  if (metadata.sample && file.metadata.sample) return metadata.sample === file.metadata.sample;
  return metadata.lastModified === file.metadata.lastModified;
}
