// The start: documents are dropped or chosen, and those that were read are listed.

import { beginJob, listJobs, listModels, removeJob } from "/static/api.js";

const LOOK_EVERY = 1_000; // milliseconds, while something is read
const OPEN = ["queued", "running"];

const percent = (rate) => `${(100 * rate).toFixed(1)} %`;

function describe(preset) {
  const { cer, seconds } = preset.measured;
  if (cer === undefined) return "";
  return `${percent(cer)} of characters wrong and ${seconds.toFixed(2)} s a page on rendered pages, one thread.`;
}

export function setUpStart() {
  const list = document.getElementById("jobs");
  const template = document.getElementById("job-template");
  const problem = document.getElementById("start-problem");
  const preset = document.getElementById("preset");
  const drop = document.getElementById("drop");
  const files = document.getElementById("files");
  const items = new Map(); // job id -> its <li>
  let timer = null;
  let shown = false;

  const fail = (message) => {
    problem.hidden = !message;
    problem.textContent = message;
  };

  const showItem = (job) => {
    const item = items.get(job.id) ?? template.content.cloneNode(true).firstElementChild;
    const link = item.querySelector(".job-name");
    const remove = item.querySelector(".job-remove");
    const open = OPEN.includes(job.state);
    item.className = `job ${job.state}`;
    link.textContent = job.name;
    if (job.pages.read) link.href = `#job/${job.id}`;
    const pages = `${job.pages.read} of ${job.pages.wanted} page${job.pages.wanted === 1 ? "" : "s"}`;
    item.querySelector(".job-state").textContent = job.error ? job.error.message : `${job.state}, ${pages}`;
    item.querySelector("progress").value = job.progress;
    remove.textContent = open ? "Cancel" : "Remove";
    remove.setAttribute("aria-label", `${remove.textContent} ${job.name}`);
    if (!items.has(job.id)) {
      remove.addEventListener("click", () => dismiss(job.id, remove));
      items.set(job.id, item);
    }
    return item;
  };

  const dismiss = async (id, button) => {
    const ended = button.textContent === "Remove";
    // Corrections go with it, so it is asked once more.
    if (ended && button.dataset.sure !== "yes") {
      button.dataset.sure = "yes";
      button.textContent = "Really remove?";
      setTimeout(() => { button.dataset.sure = ""; refresh(); }, 4_000);
      return;
    }
    await removeJob(id).catch((error) => fail(error.message));
    refresh();
  };

  const refresh = async () => {
    clearTimeout(timer);
    if (!shown) return;
    try {
      const jobs = await listJobs();
      list.replaceChildren(...jobs.map(showItem));
      document.getElementById("no-jobs").hidden = jobs.length > 0;
      if (jobs.some((job) => OPEN.includes(job.state))) timer = setTimeout(refresh, LOOK_EVERY);
    } catch (error) {
      fail(error.message);
      timer = setTimeout(refresh, 5 * LOOK_EVERY);
    }
  };

  const send = async (chosen) => {
    fail("");
    const begun = [];
    for (const file of chosen) {
      try {
        begun.push(await beginJob(file, preset.value));
      } catch (error) {
        fail(`${file.name}: ${error.message}`);
      }
      await refresh();
    }
    // One document is opened at once.
    if (chosen.length === 1 && begun.length === 1) location.hash = `#job/${begun[0].id}`;
  };

  files.addEventListener("change", () => {
    send([...files.files]);
    files.value = "";
  });
  files.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return; // browsers open it with the space bar alone
    event.preventDefault();
    files.click();
  });
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) send([...event.dataTransfer.files]);
  });

  const loadPresets = async () => {
    const { presets } = await listModels();
    preset.replaceChildren(...presets.map(({ name, default: usual }) => new Option(name, name, usual, usual)));
    const tell = () => {
      document.getElementById("preset-says").textContent = describe(presets.find(({ name }) => name === preset.value));
    };
    preset.addEventListener("change", tell);
    tell();
  };
  loadPresets().catch((error) => fail(error.message));

  return {
    show() { shown = true; refresh(); },
    hide() { shown = false; clearTimeout(timer); },
  };
}
