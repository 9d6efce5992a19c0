// The page as a whole: what the address names is shown, and its parts are put together.

import { fetchPagePicture, saveFile, showJob, showPage } from "/static/api.js";
import { setUpStart } from "/static/jobs.js";
import { Lines, nameKey } from "/static/lines.js";
import { CONSONANTS, SIGNS, VOWELS } from "/static/phonetic.js";
import { Picture } from "/static/picture.js";
import { setUpReplace } from "/static/replace.js";
import { Saver } from "/static/saving.js";
import { setUpTheme } from "/static/theme.js";

const LOOK_EVERY = 700; // milliseconds, while a page is read
const EXPORTS = {
  txt: "Text", md: "Markdown", json: "JSON", hocr: "hOCR", alto: "ALTO XML", page: "PAGE XML", pdf: "Searchable PDF",
};

const find = (id) => document.getElementById(id);
const say = (text) => { find("announcer").textContent = text; };

class Review {
  job = null;
  pageNumbers = [];
  pageNumber = null;
  #page = null;
  #saver = null;
  #lines = null;
  #shown = 0; // counts what was asked for, so that what comes late is dropped
  #picture = new Picture((id) => this.#lines.focus(id));

  lines() { return this.#lines?.all ?? []; }
  settle() {
    this.#lines.flush();
    return this.#saver.settle();
  }
  flush() { this.#lines?.flush(); }
  get isTroubled() { return this.#saver?.isTroubled ?? false; }

  /** Show a page of a job; without a number its first. */
  async open(id, number) {
    const turn = ++this.#shown;
    this.#lines?.flush();
    if (this.job !== id) {
      this.job = id;
      this.#saver = new Saver(id, (status, message) => this.#tellSaved(status, message), () => this.#reload());
      this.#lines = new Lines(id, {
        change: (line, text, state) => this.change(line, text, state),
        look: (line) => this.#picture.look(line),
        goOn: () => this.goOn(),
        undo: () => this.undo(),
      }, () => find("phonetic").checked);
      this.#tellSaved("");
      this.#clear();
      find("document-name").textContent = "";
      find("page-nav").hidden = true;
    }
    const job = await showJob(id);
    if (turn !== this.#shown) return;
    this.pageNumbers = job.page_numbers;
    document.title = `${job.name} – odia-ocr`;
    await this.#load(number ?? this.pageNumbers[0], turn);
  }

  #reload() {
    this.#load(this.pageNumber).catch((error) => this.tellProblem(error.message));
  }

  async #load(number, turn = ++this.#shown) {
    this.pageNumber = number;
    history.replaceState(null, "", `#job/${this.job}/page/${number}`);
    this.#showPageChoice();
    find("page-problem").hidden = true;
    for (;;) {
      const job = await showJob(this.job);
      find("document-name").textContent = job.name;
      if (job.pages.read || job.finished) {
        try {
          const page = await showPage(this.job, number);
          if (turn === this.#shown) this.#show(page, turn);
          return;
        } catch (error) {
          if (error.code !== "not-found" || job.finished) throw error;
        }
      }
      if (turn !== this.#shown) return;
      this.#clear();
      this.tellProblem("This page is being read …");
      await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
    }
  }

  #clear() {
    this.#page = null;
    this.#picture.clear();
    this.#lines.show([], "page");
    find("tally").textContent = "";
  }

  #show(page, turn) {
    this.#page = page;
    for (const line of page.lines) line.page = page.number;
    this.tellProblem(page.problems.map(({ message, next_step }) => `${message} ${next_step}`).join(" "));
    this.#picture.show(page);
    this.#lines.show(page.lines, find("order").value);
    this.#tally();
    fetchPagePicture(this.job, page.number).then(
      (url) => { if (turn === this.#shown) this.#picture.setImage(url); },
      (error) => this.tellProblem(error.message),
    );
    const first = this.#lines.nextDoubtful() ?? this.lines()[0]?.id;
    if (first) this.#lines.focus(first);
  }

  /** Give a line another text or state, and remember what it was. */
  change(line, text, state, options) {
    this.#saver.change(line, text, state, options);
    this.#refresh(line);
  }

  #refresh(line) {
    if (line.page !== this.pageNumber) return;
    this.#lines.refresh(line);
    this.#picture.mark(line);
    this.#tally();
    find("undo").disabled = !this.#saver.canUndo;
  }

  /** Take the last change back, on whatever page it was. */
  async undo() {
    await this.settle();
    const before = this.#saver.takeLast();
    if (!before) return;
    if (before.page !== this.pageNumber) await this.#load(before.page);
    const line = this.#page.lines.find(({ id }) => id === before.id);
    if (!line) return;
    this.change(line, before.text, before.state, { remember: false });
    this.#lines.focus(line.id);
    say("Undone");
  }

  /** Go to the next line that wants a look, or say that there is none. */
  goOn() {
    const next = this.#lines.nextDoubtful();
    if (next) {
      this.#lines.focus(next);
      return;
    }
    const further = this.pageNumbers[this.pageNumbers.indexOf(this.pageNumber) + 1];
    say(further ? "No doubtful line left on this page. Alt PageDown goes on." : "No doubtful line left.");
    this.#lines.move(1);
  }

  /** Go to a line's field; gives the field. */
  focus(id) {
    this.#lines.focus(id);
    return document.activeElement;
  }

  turn(steps) {
    const number = this.pageNumbers[this.pageNumbers.indexOf(this.pageNumber) + steps];
    if (number) location.hash = `#job/${this.job}/page/${number}`;
  }

  reorder() {
    if (!this.#page) return;
    this.#lines.flush();
    this.#lines.show(this.#page.lines, find("order").value);
  }

  #showPageChoice() {
    const at = this.pageNumbers.indexOf(this.pageNumber);
    find("page-choice").replaceChildren(...this.pageNumbers.map((number) => new Option(number, number)));
    find("page-choice").value = this.pageNumber;
    find("page-count").textContent = this.pageNumbers.length;
    find("page-before").disabled = at <= 0;
    find("page-after").disabled = at >= this.pageNumbers.length - 1;
    find("page-nav").hidden = this.pageNumbers.length < 2;
  }

  #tally() {
    const lines = this.#page.lines;
    const accepted = lines.filter(({ state }) => state === "accepted").length;
    find("tally").textContent = `${accepted} of ${lines.length} accepted`;
  }

  #tellSaved(status, message = "") {
    find("saved").textContent = { saving: "Saving …", saved: "Saved", trouble: `Not saved. ${message}` }[status] ?? "";
    find("saved").classList.toggle("trouble", status === "trouble");
    if (status === "saved") for (const line of this.lines()) this.#lines.refresh(line);
    find("undo").disabled = !this.#saver?.canUndo;
  }

  tellProblem(message) {
    find("page-problem").hidden = !message;
    find("page-problem").textContent = message;
  }
}

const start = setUpStart();
const review = new Review();
const replace = setUpReplace(review);
setUpTheme(find("theme"));

function route() {
  const [, job, page] = /^#job\/([0-9a-f]{32})(?:\/page\/(\d+))?$/.exec(location.hash) ?? [];
  for (const id of ["review", "export", "open-replace"]) find(id).hidden = !job;
  find("start").hidden = Boolean(job);
  if (job) {
    start.hide();
    review.open(job, page && Number(page)).catch((error) => review.tellProblem(error.message));
  } else {
    document.title = "odia-ocr";
    find("document-name").textContent = "";
    find("page-nav").hidden = true;
    find("saved").textContent = "";
    start.show();
  }
}

async function exportAs(path) {
  find("export").open = false;
  try {
    await review.settle();
    await saveFile(`/v1/jobs/${review.job}/${path}`);
  } catch (error) {
    review.tellProblem(error.message);
  }
}

function addExport(label, path) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
  button.addEventListener("click", () => exportAs(path));
  find("export-items").append(button);
}
for (const [name, label] of Object.entries(EXPORTS)) addExport(label, `result?format=${name}`);
addExport("Accepted lines for training", "training-lines");

function describeTable() {
  const vowels = Object.entries(VOWELS).map(([latin, [letter]]) => [latin, letter]);
  const rows = [...vowels, ...Object.entries(CONSONANTS), ...Object.entries(SIGNS)];
  find("phonetic-table").append(...rows.map(([latin, text]) => {
    const row = document.createElement("span");
    const code = Object.assign(document.createElement("code"), { textContent: latin });
    row.append(code, text === "\u200c" ? "ZWNJ" : text);
    return row;
  }));
}
describeTable();

const toggle = (box) => {
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change"));
};
const KEYS = {
  "Alt+n": () => review.goOn(),
  "Alt+t": () => toggle(find("phonetic")),
  "Alt+PageUp": () => review.turn(-1),
  "Alt+PageDown": () => review.turn(1),
  "Ctrl+h": () => replace.open(),
  F1: () => find("help").showModal(),
};
document.addEventListener("keydown", (event) => {
  const name = `${event.ctrlKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${nameKey(event)}`;
  if (!(name in KEYS) || document.querySelector("dialog[open]")) return;
  if (name !== "F1" && find("review").hidden) return;
  event.preventDefault();
  KEYS[name]();
});

find("phonetic").addEventListener("change", () => say(`Latin to Odia ${find("phonetic").checked ? "on" : "off"}`));
find("open-help").addEventListener("click", KEYS.F1);
find("next-doubtful").addEventListener("click", KEYS["Alt+n"]);
find("undo").addEventListener("click", () => review.undo());
find("order").addEventListener("change", () => review.reorder());
find("page-before").addEventListener("click", () => review.turn(-1));
find("page-after").addEventListener("click", () => review.turn(1));
find("page-choice").addEventListener("change", (event) => {
  location.hash = `#job/${review.job}/page/${event.target.value}`;
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names what is shown
  find("content").focus();
});
document.addEventListener("click", (event) => {
  if (!find("export").contains(event.target)) find("export").open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !find("export").open) return;
  find("export").open = false;
  find("export").querySelector("summary").focus();
});
window.addEventListener("beforeunload", (event) => {
  review.flush();
  if (review.isTroubled) event.preventDefault();
});
window.addEventListener("hashchange", route);
route();
