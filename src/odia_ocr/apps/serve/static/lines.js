// The lines of a page as cards: picture, text field, doubt, other readings; and the keys in them.

import { fetchLinePicture, listRivals } from "/static/api.js";
import { attachPhonetic } from "/static/phonetic.js";

const SAVE_AFTER = 600; // milliseconds without typing
const RANK = { doubtful: 0, check: 1, sure: 2 };
const SAYS = { doubtful: "Doubtful", check: "Check", sure: "Sure" };

/**
 * The text of a line with another reading taken. What was changed before stays, unless it is the
 * very place; then the reading holds as a whole.
 */
export function takeReading({ text, before, after, start }, read, now) {
  if (now === read) return text;
  const most = Math.min(read.length, now.length);
  let head = 0;
  while (head < most && read[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < most - head && read.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const replaceAt = (at) => now.slice(0, at) + after + now.slice(at + before.length);
  if (start + before.length <= head) return replaceAt(start);
  if (start >= read.length - tail) return replaceAt(start + now.length - read.length);
  const at = now.indexOf(before); // between places that were changed
  return before && at >= 0 && at === now.lastIndexOf(before) ? replaceAt(at) : text;
}

/** What a reading changes, in whole words of what was read, so that one "O" can be told from another. */
function tellWords({ before, after, start }, read) {
  const end = start + before.length;
  const left = start > 0 ? read.lastIndexOf(" ", start - 1) + 1 : 0;
  const space = read.indexOf(" ", end);
  const right = space < 0 ? read.length : space;
  return [read.slice(left, right), read.slice(left, start) + after + read.slice(end, right)];
}

/** What a key is called: Latin letters by their place where the keyboard writes others, such as Odia. */
export const nameKey = ({ key, code }) =>
  (/^[a-z]$/i.test(key) ? key : /^Key([A-Z])$/.exec(code)?.[1])?.toLowerCase() ?? key;

const wantsLook = (line) => line.state !== "accepted" && line.doubt !== "sure";

export class Lines {
  #list = document.getElementById("lines");
  #template = document.getElementById("line-template");
  #job;
  #cards = new Map(); // line id -> { line, item, field }
  #order = []; // ids as shown
  #current = null;
  #heard;
  #pictures = new IntersectionObserver((seen) => this.#loadPictures(seen), { rootMargin: "300px" });

  /**
   * `heard` is told what happens: change(line, text, state), look(line), and from keys undo().
   * `isPhonetic()` says whether Latin letters become Odia.
   */
  constructor(job, heard, isPhonetic) {
    this.#job = job;
    this.#heard = heard;
    this.isPhonetic = isPhonetic;
  }

  /** Show the lines of a page, in the order "doubt" or "page". */
  show(lines, order) {
    this.#pictures.disconnect();
    for (const { item } of this.#cards.values()) URL.revokeObjectURL(item.querySelector("img").src);
    this.#cards.clear();
    this.#current = null;
    const places = new Map(lines.map((line, i) => [line.id, i + 1]));
    const sorted = order === "page" ? lines : lines.toSorted((a, b) =>
      wantsLook(b) - wantsLook(a) || (wantsLook(a) ? this.#compare(a, b) : 0));
    this.#order = sorted.map((line) => line.id);
    this.#list.replaceChildren(...sorted.map((line) => this.#makeCard(line, places.get(line.id), lines.length)));
    for (const { item } of this.#cards.values()) this.#pictures.observe(item);
  }

  #compare(a, b) {
    return RANK[a.doubt] - RANK[b.doubt] || (a.confidence ?? 0) - (b.confidence ?? 0);
  }

  /** Lines in the order shown. */
  get all() { return this.#order.map((id) => this.#cards.get(id).line); }
  get current() { return this.#cards.get(this.#current)?.line ?? null; }

  /** Go to a line's field. */
  focus(id) {
    const card = this.#cards.get(id);
    card?.field.focus({ preventScroll: true });
    card?.item.scrollIntoView({ block: "nearest" });
  }

  /** The next line after the current one that wants a look; null when there is none. */
  nextDoubtful() {
    const at = this.#order.indexOf(this.#current);
    const ring = [...this.#order.slice(at + 1), ...this.#order.slice(0, Math.max(0, at))];
    return ring.find((id) => wantsLook(this.#cards.get(id).line)) ?? null;
  }

  /** Go so many lines on in the order shown. */
  move(steps) {
    const at = this.#order.indexOf(this.#current);
    const id = this.#order[Math.min(this.#order.length - 1, Math.max(0, at + steps))];
    if (id) this.focus(id);
  }

  /** Keep what was typed and not kept yet. */
  flush() {
    for (const card of this.#cards.values()) this.#keep(card);
  }

  /** Show what a line has become. */
  refresh(line) {
    const card = this.#cards.get(line.id);
    if (!card) return;
    if (card.field.value !== line.text && !card.typing) {
      card.field.value = line.text;
      this.#fitField(card.field);
    }
    this.#describe(card);
  }

  accept(id) {
    const card = this.#cards.get(id);
    clearTimeout(card.typing);
    card.typing = null;
    this.#heard.change(card.line, card.field.value, "accepted");
    this.#describe(card);
  }

  #makeCard(line, place, count) {
    const item = this.#template.content.cloneNode(true).firstElementChild;
    const field = item.querySelector("textarea");
    const card = { line, item, field, place, count, typing: null, rivals: null };
    this.#cards.set(line.id, card);
    item.dataset.line = line.id;
    field.value = line.text;
    item.querySelector(".line-place").textContent = `line ${place}`;
    item.querySelector(".accept").addEventListener("click", () => this.#acceptAndGo(card));
    field.addEventListener("focus", () => this.#enter(card));
    field.addEventListener("blur", () => { this.#keep(card); this.refresh(card.line); });
    field.addEventListener("input", () => {
      this.#fitField(field);
      clearTimeout(card.typing);
      card.typing = setTimeout(() => this.#keep(card), SAVE_AFTER);
    });
    field.addEventListener("keydown", (event) => this.#press(card, event));
    attachPhonetic(field, this.isPhonetic);
    this.#describe(card);
    return item;
  }

  #makeRival(card, rival, number) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-keyshortcuts", `Alt+${number}`);
    const [was, becomes] = tellWords(rival, card.line.read);
    button.setAttribute("aria-label", `${was} becomes ${becomes}`);
    button.title = rival.text;
    const digit = Object.assign(document.createElement("kbd"), { textContent: number });
    const before = Object.assign(document.createElement("s"), { lang: "or", textContent: was });
    const after = Object.assign(document.createElement("b"), { lang: "or", textContent: becomes });
    button.append(digit, before, " ", after);
    button.addEventListener("click", () => this.#take(card, rival));
    return button;
  }

  /** Other readings of a line: asked for once, when it comes into view or a key wants one. */
  #askRivals(card) {
    card.rivals ??= listRivals(this.#job, card.line.page, card.line.id).catch(() => card.line.rivals).then((rivals) => {
      card.item.querySelector(".rivals").replaceChildren(
        ...rivals.map((rival, i) => this.#makeRival(card, rival, i + 1)));
      return rivals;
    });
    return card.rivals;
  }

  async #takeNumber(card, number) {
    const rival = (await this.#askRivals(card))[number - 1];
    if (rival && this.#cards.get(card.line.id) === card) this.#take(card, rival);
  }

  #take(card, rival) {
    const text = takeReading(rival, card.line.read, card.field.value);
    card.field.value = text;
    clearTimeout(card.typing);
    card.typing = null;
    this.#fitField(card.field);
    this.#heard.change(card.line, text, "edited");
    this.#describe(card);
    card.field.focus();
  }

  #enter(card) {
    this.#askRivals(card);
    this.#cards.get(this.#current)?.item.classList.remove("current");
    this.#current = card.line.id;
    card.item.classList.add("current");
    this.#heard.look(card.line);
  }

  #keep(card) {
    if (card.typing === null) return;
    clearTimeout(card.typing);
    card.typing = null;
    if (card.field.value === card.line.text) return;
    this.#heard.change(card.line, card.field.value, "edited");
    this.#describe(card);
  }

  #acceptAndGo(card) {
    this.accept(card.line.id);
    this.#current = card.line.id;
    this.#heard.goOn();
  }

  #press(card, event) {
    if (event.isComposing || event.shiftKey || event.metaKey) return;
    const oneRow = card.field.clientHeight < 60;
    const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
    if (event.altKey && digit) {
      this.#takeNumber(card, digit);
    } else if (event.key === "Enter") {
      this.#acceptAndGo(card);
    } else if (event.key === "ArrowDown" && (oneRow || event.altKey)) {
      this.move(1);
    } else if (event.key === "ArrowUp" && (oneRow || event.altKey)) {
      this.move(-1);
    } else if (event.ctrlKey && nameKey(event) === "z" && card.typing === null) {
      this.#heard.undo();
    } else {
      return;
    }
    event.preventDefault();
  }

  #describe({ line, item, field, place, count }) {
    const accepted = line.state === "accepted";
    const sureness = line.confidence === null ? "" : ` ${Math.round(line.confidence * 100)} %`;
    const says = accepted ? "Accepted" : `${SAYS[line.doubt]}${sureness}${line.state === "edited" ? ", edited" : ""}`;
    const current = item.classList.contains("current");
    item.className = `line ${line.doubt}${accepted ? " accepted" : ""}${current ? " current" : ""}`;
    item.querySelector(".badge").textContent = says;
    item.querySelector(".accept").textContent = accepted ? "Accepted ✓" : "Accept";
    field.setAttribute("aria-label", `Line ${place} of ${count}, ${says.toLowerCase()}`);
    item.querySelector(".line-picture img").alt = `Picture of line ${place}`;
  }

  #fitField(field) {
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }

  async #loadPictures(seen) {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      this.#pictures.unobserve(target);
      const card = this.#cards.get(target.dataset.line);
      if (!card) continue;
      const { line } = card;
      this.#askRivals(card);
      fetchLinePicture(this.#job, line.page, line.id).then(
        (url) => { target.querySelector("img").src = url; },
        () => { target.querySelector(".line-picture").hidden = true; },
      );
    }
  }
}
