// Changes of lines on their way to the server: one at a time for each line, none forgotten, each
// one can be taken back.

import { changeLine } from "/static/api.js";

const RETRY_AFTER = 3_000; // milliseconds

export class Saver {
  #job;
  #tell;
  #lost;
  #past = []; // { page, id, text, state }: what a line was before a change
  #busy = new Map(); // line -> the promise of its last change
  #waiting = new Set(); // lines that changed again meanwhile
  #troubled = false; // the server is not reached

  /** `tell(status)` hears "saving", "saved" or "trouble"; `lost(line)` that it changed elsewhere. */
  constructor(job, tell, lost) {
    this.#job = job;
    this.#tell = tell;
    this.#lost = lost;
  }

  get canUndo() { return this.#past.length > 0; }
  get isTroubled() { return this.#troubled; }
  get isIdle() { return this.#busy.size === 0; }

  /** Give a line another text or state; `line` holds what the server said of it. */
  change(line, text, state, { remember = true } = {}) {
    if (text === line.text && state === line.state) return;
    if (remember) this.#remember(line, state);
    line.text = text;
    line.state = state;
    this.#send(line);
  }

  /** What the last change was made from, taken off the list. */
  takeLast() { return this.#past.pop(); }

  /** Until everything so far has arrived. */
  async settle() {
    while (this.#busy.size) await Promise.all(this.#busy.values());
  }

  #remember(line, state) {
    const last = this.#past.at(-1);
    const goesOn = last?.id === line.id && last.page === line.page;
    // Typing that goes on is one change.
    if (goesOn && line.state === "edited" && state === "edited") return;
    this.#past.push({ page: line.page, id: line.id, text: line.text, state: line.state });
  }

  #send(line) {
    if (this.#busy.has(line)) {
      this.#waiting.add(line);
      return;
    }
    this.#tell("saving");
    this.#busy.set(line, this.#put(line).then((kept) => {
      this.#busy.delete(line);
      if (this.#waiting.delete(line)) this.#send(line);
      else if (kept && this.isIdle) this.#tell("saved");
    }));
  }

  /** True once the server has kept it; false when it refused. */
  async #put(line) {
    const sent = { text: line.text, state: line.state, revision: line.revision };
    for (;;) {
      try {
        const kept = await changeLine(this.#job, line.page, line.id, sent);
        this.#troubled = false;
        line.revision = kept.revision;
        if (line.text === sent.text) line.text = kept.text; // in the usual spelling
        return true;
      } catch (error) {
        this.#tell("trouble", error.message);
        this.#troubled = !error.status;
        if (error.status) {
          this.#lost(line);
          return false;
        }
        await new Promise((resolve) => { setTimeout(resolve, RETRY_AFTER); });
      }
    }
  }
}
