// Calls of the server's API: the key, errors with their next step, pictures and files.

let key = sessionStorage.getItem("odia-ocr-key") || "";

export class ApiError extends Error {
  constructor(status, body) {
    super([body.message, body.next_step].filter(Boolean).join(" "));
    this.status = status;
    this.code = body.code;
  }
}

async function call(path, options = {}) {
  const headers = { ...options.headers };
  const sent = key;
  if (sent) headers.Authorization = `Bearer ${sent}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401) {
    // A refusal may come when another key has been given already: that one is tried first.
    if (sent === key) await askForKey(sent);
    return call(path, options);
  }
  const body = await answer.json().catch(() => ({ message: `The server answered ${answer.status}.` }));
  throw new ApiError(answer.status, body);
}

let asking = null; // several calls wait for one dialog

function askForKey(refused) {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key");
    const field = document.getElementById("key-text");
    field.value = "";
    document.getElementById("key-refused").hidden = !refused;
    dialog.addEventListener("close", () => {
      key = field.value.trim();
      sessionStorage.setItem("odia-ocr-key", key);
      document.getElementById("key-refused").hidden = true;
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

const readJson = async (path, options) => (await call(path, options)).json();
const line = (job, page, id) => `/v1/jobs/${job}/pages/${page}/lines/${encodeURIComponent(id)}`;

export const listModels = () => readJson("/v1/models");
export const listJobs = async () => (await readJson("/v1/jobs?limit=100")).jobs;
export const showJob = (job) => readJson(`/v1/jobs/${job}`);
export const removeJob = (job) => readJson(`/v1/jobs/${job}`, { method: "DELETE" });
export const listRivals = async (job, page, id) => (await readJson(`${line(job, page, id)}/rivals`)).rivals;
export const showPage = (job, page) => readJson(`/v1/jobs/${job}/pages/${page}`);

export function beginJob(file, preset) {
  const body = new FormData();
  body.append("file", file);
  // Documents may be sent before the presets are known: then the server takes its own.
  const choice = preset ? `?preset=${encodeURIComponent(preset)}` : "";
  return readJson(`/v1/jobs${choice}`, { method: "POST", body });
}

// What is already on its way when the page is left still arrives.
export const changeLine = (job, page, id, change) =>
  readJson(line(job, page, id), {
    method: "PUT",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(change),
  });

// Pictures come through fetch, because an <img> cannot send the key.
const fetchPicture = async (path) => URL.createObjectURL(await (await call(path)).blob());
export const fetchPagePicture = (job, page) => fetchPicture(`/v1/jobs/${job}/pages/${page}/picture`);
export const fetchLinePicture = (job, page, id) => fetchPicture(`${line(job, page, id)}/picture`);

export async function saveFile(path) {
  const answer = await call(path);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name ? name[1] : "result";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
