// How fast octets arrive, by what the site says. What the browser has handed to Tor runs many
// megabytes ahead of that, and is never counted.

const MEMORY = 120; // seconds that speed is the mean of
const ENOUGH = 8; // seconds before a speed is worth saying
const A_REQUEST = 15; // seconds that one request should take, so that the page moves
const SMALLEST = 256 << 10; // octets; less, and the round trips cost more than the sending
const LARGEST = 4 << 20; // octets

export const ONE_REQUEST = LARGEST;

const now = () => Date.now() / 1000;

export class Pace {
  #moves = [];

  // Begin to measure: the pause before does not count.
  begin() {
    this.#moves = [{ at: now(), octets: 0 }];
  }

  moved(octets) {
    this.#moves.push({ at: now(), octets });
    while (this.#moves.length > 2 && this.#moves[1].at < now() - MEMORY) this.#moves.shift();
  }

  // Octets a second; 0 if that is not known yet.
  get speed() {
    const first = this.#moves[0];
    const seconds = first ? now() - first.at : 0;
    if (seconds < ENOUGH) return 0;
    return this.#moves.slice(1).reduce((sum, move) => sum + move.octets, 0) / seconds;
  }
}

// Give the octets that a request should carry after one that took so long.
export function nextLength(octets, seconds) {
  const wanted = (octets / Math.max(seconds, 0.1)) * A_REQUEST;
  return Math.min(LARGEST, Math.max(SMALLEST, Math.round(wanted)));
}
