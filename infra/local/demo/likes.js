/** The likes of the person who is looked at. */

import { element } from "./dom.js";
import { empty, failed, waiting } from "./states.js";
import { likedRow } from "./video.js";

const PAGE = 20;

export class Likes {
  #box;
  #count;
  #client = null;
  #videos = [];
  #total = 0;
  #asking = new AbortController();

  constructor(box, count) {
    this.#box = box;
    this.#count = count;
  }

  /** Begin with another person. */
  async show(client) {
    this.#client = client;
    this.#videos = [];
    this.#count.textContent = "";
    this.#box.replaceChildren(waiting("liked", 5));
    await this.refresh();
  }

  /** Ask anew for as many as are shown; returns how many likes there are, or null where there was no answer. */
  async refresh() {
    const before = new Set(this.#videos.map(({ id }) => id));
    const found = await this.#ask(Math.max(PAGE, this.#videos.length), 0);
    if (found === null) return null;
    this.#videos = found.videos;
    this.#total = found.total;
    this.#draw(before.size > 0 ? (id) => !before.has(id) : () => false);
    return found.total;
  }

  async #more() {
    const found = await this.#ask(PAGE, this.#videos.length);
    if (found === null) return;
    const first = found.videos[0]?.id;
    this.#videos = [...this.#videos, ...found.videos];
    this.#total = found.total;
    this.#draw(() => false);
    const row = this.#box.querySelector(`[data-id="${first}"]`);
    row?.setAttribute("tabindex", "-1");
    row?.focus({ preventScroll: true });
  }

  async #ask(limit, offset) {
    this.#asking.abort();
    this.#asking = new AbortController();
    try {
      return await this.#client.likes(limit, offset, this.#asking.signal);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.#box.replaceChildren(failed("The likes cannot be read", error, () => this.refresh()));
      }
      return null;
    }
  }

  #draw(isNew) {
    this.#count.textContent = this.#total.toLocaleString("en");
    if (this.#videos.length === 0) {
      this.#box.replaceChildren(
        empty(
          "No likes yet",
          "Until the first one, the list shows what everybody likes lately. Press Like on a video.",
        ),
      );
      return;
    }
    const rows = element(
      "ul",
      { class: "rows", tabindex: 0, "aria-labelledby": "likes-title" },
      ...this.#videos.map((video) => likedRow(video, isNew(video.id))),
    );
    if (this.#videos.length < this.#total) {
      const left = this.#total - this.#videos.length;
      rows.append(
        element(
          "li",
          { class: "further" },
          element("button", { type: "button", class: "quiet", onclick: () => this.#more() }, `${left} more`),
        ),
      );
    }
    this.#box.replaceChildren(rows);
  }
}
