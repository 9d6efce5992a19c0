// The picture of a page with the outlines of its lines: zoom, pan, and which line is looked at.

const STEP = 1.25;
const LEAST = 0.25;
const MOST = 8;
const PAN = 60; // pixels

export class Picture {
  #viewport = document.getElementById("viewport");
  #stage = document.getElementById("stage");
  #image = document.getElementById("picture");
  #outlines = document.getElementById("outlines");
  #zoomSays = document.getElementById("zoom");
  #polygons = new Map(); // line id -> its <polygon>
  #size = { width: 1, height: 1 };
  #zoom = 1; // 1 is the width of the viewport
  #current = null;

  /** `choose(id)` hears which line was pointed at. */
  constructor(choose) {
    const zoomIn = () => this.#setZoom(this.#zoom * STEP);
    const zoomOut = () => this.#setZoom(this.#zoom / STEP);
    const fit = () => this.#setZoom(1);
    document.getElementById("zoom-in").addEventListener("click", zoomIn);
    document.getElementById("zoom-out").addEventListener("click", zoomOut);
    document.getElementById("zoom-fit").addEventListener("click", fit);
    this.#viewport.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-PAN, 0], ArrowRight: [PAN, 0], ArrowUp: [0, -PAN], ArrowDown: [0, PAN] }[event.key];
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (move) this.#viewport.scrollBy({ left: move[0], top: move[1], behavior: "instant" });
      else if (event.key === "+" || event.key === "=") zoomIn();
      else if (event.key === "-") zoomOut();
      else if (event.key === "0") fit();
      else return;
      event.preventDefault();
    });
    this.#viewport.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.#setZoom(this.#zoom * (event.deltaY < 0 ? STEP : 1 / STEP), event);
    }, { passive: false });
    this.#outlines.addEventListener("click", (event) => {
      if (event.target.dataset.line) choose(event.target.dataset.line);
    });
    this.#letDrag();
  }

  /** Show a page; its picture may come later through `setImage`. */
  show(page) {
    this.#size = { width: page.width, height: page.height };
    this.#image.hidden = true;
    this.#image.alt = `Page ${page.number} as scanned`;
    this.#outlines.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
    this.#polygons.clear();
    this.#current = null;
    const drawn = page.lines.map((line) => {
      const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
      polygon.setAttribute("points", line.polygon.map((point) => point.join(",")).join(" "));
      polygon.dataset.line = line.id;
      this.#polygons.set(line.id, polygon);
      this.mark(line);
      return polygon;
    });
    this.#outlines.replaceChildren(...drawn);
    this.#setZoom(1);
    this.#viewport.scrollTo(0, 0);
  }

  /** Show nothing. */
  clear() {
    this.#image.hidden = true;
    this.#outlines.replaceChildren();
    this.#polygons.clear();
  }

  setImage(url) {
    URL.revokeObjectURL(this.#image.src);
    this.#image.src = url;
    this.#image.hidden = false;
  }

  /** Colour a line by its doubt and state. */
  mark(line) {
    const state = line.state === "accepted" ? "accepted" : line.doubt;
    const current = this.#current === line.id ? " current" : "";
    this.#polygons.get(line.id)?.setAttribute("class", state + current);
  }

  /** Make a line the one that is looked at, and bring it into view. */
  look(line) {
    this.#polygons.get(this.#current)?.classList.remove("current");
    this.#current = line.id;
    const polygon = this.#polygons.get(line.id);
    if (!polygon) return;
    polygon.classList.add("current");
    polygon.parentNode.append(polygon); // drawn above the others
    const xs = line.polygon.map(([x]) => x);
    const ys = line.polygon.map(([, y]) => y);
    const scale = this.#stage.clientWidth / this.#size.width;
    const { clientWidth, clientHeight } = this.#viewport;
    const middle = (Math.min(...ys) + Math.max(...ys)) / 2;
    const left = Math.max(Math.min(...xs) * scale - 20, (Math.min(...xs) + Math.max(...xs)) / 2 * scale - clientWidth / 2);
    this.#viewport.scrollTo({ left: Math.min(left, Math.min(...xs) * scale - 20), top: middle * scale - clientHeight / 2 });
  }

  #setZoom(zoom, at = null) {
    const box = this.#viewport.getBoundingClientRect();
    const x = at ? at.clientX - box.left : this.#viewport.clientWidth / 2;
    const y = at ? at.clientY - box.top : this.#viewport.clientHeight / 2;
    const before = this.#stage.clientWidth || 1;
    const [left, top] = [this.#viewport.scrollLeft + x, this.#viewport.scrollTop + y];
    this.#zoom = Math.min(MOST, Math.max(LEAST, zoom));
    this.#stage.style.width = `${this.#zoom * 100}%`;
    this.#stage.style.aspectRatio = `${this.#size.width} / ${this.#size.height}`;
    const ratio = this.#stage.clientWidth / before;
    this.#viewport.scrollTo({ left: left * ratio - x, top: top * ratio - y, behavior: "instant" });
    this.#zoomSays.value = `${Math.round(this.#zoom * 100)} %`;
  }

  #letDrag() {
    let from = null;
    this.#viewport.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      from = { x: event.clientX, y: event.clientY, left: this.#viewport.scrollLeft, top: this.#viewport.scrollTop };
    });
    window.addEventListener("pointermove", (event) => {
      if (!from) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (Math.hypot(dx, dy) < 4) return;
      this.#viewport.classList.add("dragging");
      this.#viewport.scrollTo({ left: from.left - dx, top: from.top - dy, behavior: "instant" });
    });
    window.addEventListener("pointerup", () => {
      from = null;
      this.#viewport.classList.remove("dragging");
    });
  }
}
