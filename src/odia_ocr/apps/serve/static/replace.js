// Find and replace, on the page that is shown or on all pages.

import { showPage } from "/static/api.js";

const count = (text, wanted) => text.split(wanted).length - 1;

/** `review` gives pageNumbers, pageNumber, lines(), change(line, text, state), focus(id), settle(), reload(). */
export function setUpReplace(review) {
  const form = document.getElementById("replace");
  const opener = document.getElementById("open-replace");
  const wantedField = document.getElementById("find-text");
  const givenField = document.getElementById("replace-text");
  const everywhere = document.getElementById("all-pages");
  const says = document.getElementById("found");
  let at = -1;

  const wanted = () => wantedField.value.normalize("NFC");

  const countHere = () => {
    const found = wanted() ? review.lines().reduce((sum, line) => sum + count(line.text, wanted()), 0) : 0;
    says.textContent = wanted() ? `${found} on this page` : "";
    at = -1;
  };

  const open = () => {
    form.hidden = false;
    const marked = document.getSelection()?.toString();
    if (marked && !marked.includes("\n")) wantedField.value = marked;
    wantedField.focus();
    wantedField.select();
    countHere();
  };

  const close = () => {
    form.hidden = true;
    opener.focus();
  };

  const findNext = () => {
    const lines = review.lines();
    for (let step = 1; wanted() && step <= lines.length; step += 1) {
      const index = (at + step) % lines.length;
      if (!lines[index].text.includes(wanted())) continue;
      at = index;
      const field = review.focus(lines[index].id);
      const start = field.value.indexOf(wanted());
      if (start >= 0) field.setSelectionRange(start, start + wanted().length);
      return;
    }
    countHere();
  };

  const replaceIn = (lines) => {
    let changed = 0;
    for (const line of lines) {
      const found = count(line.text, wanted());
      if (!found) continue;
      changed += found;
      review.change(line, line.text.replaceAll(wanted(), givenField.value), "edited");
    }
    return changed;
  };

  const replaceAll = async () => {
    if (!wanted()) return;
    let changed = replaceIn(review.lines());
    if (everywhere.checked) {
      for (const number of review.pageNumbers) {
        if (number === review.pageNumber) continue;
        const page = await showPage(review.job, number).catch(() => null);
        if (page) changed += replaceIn(page.lines.map((line) => ({ ...line, page: number })));
      }
    }
    await review.settle();
    says.textContent = `${changed} replaced`;
  };

  opener.addEventListener("click", open);
  document.getElementById("close-replace").addEventListener("click", close);
  document.getElementById("replace-all").addEventListener("click", replaceAll);
  wantedField.addEventListener("input", countHere);
  form.addEventListener("submit", (event) => { event.preventDefault(); findNext(); });
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  return { open };
}
