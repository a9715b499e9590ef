/** The list that the live model makes for the person who is looked at. */

import { counted, element } from "./dom.js";
import { glide } from "./motion.js";
import { empty, failed, waiting } from "./states.js";
import { card } from "./video.js";

const PAGE = 12;
const MOST = 200;
const TOO_MANY = 429;

export class Recommendations {
  #box;
  #facts;
  #decide;
  #client = null;
  #items = [];
  #moves = new Map();
  #gone = new Set();
  #nextPage = null;
  #asking = new AbortController();

  /** What the last refresh moved, in words. */
  changes = "";

  constructor(box, facts, decide) {
    this.#box = box;
    this.#facts = facts;
    this.#decide = decide;
  }

  /** What is shown, in words. */
  get summary() {
    return `${counted(this.#items.length, "video")} recommended`;
  }

  /** Begin with another person. */
  async show(client) {
    this.#client = client;
    this.#items = [];
    this.#moves = new Map();
    this.#gone = new Set();
    this.#nextPage = null;
    this.#facts.replaceChildren();
    this.#box.replaceChildren(waiting("card", 6));
    const answer = await this.#ask({ limit: PAGE });
    if (answer !== null) this.#take(answer, answer.items);
  }

  /** Ask anew for as many as are shown. */
  async refresh({ refresh = false } = {}) {
    const before = this.#items.map(({ video }) => video.id);
    const limit = Math.min(MOST, Math.max(PAGE, Math.ceil(before.length / PAGE) * PAGE));
    this.changes = "";
    const answer = await this.#ask({ limit, refresh });
    if (answer === null) return;
    this.#moves = movesOf(before.filter((id) => !this.#gone.has(id)), answer.items);
    const moved = [...this.#moves.values()].filter((move) => move !== 0).length;
    this.changes = moved === 0
      ? "No other place changed."
      : `${moved} of ${counted(answer.items.length, "place")} changed.`;
    this.#take(answer, answer.items);
  }

  /** A video was decided on: it goes, whatever an earlier question still answers. */
  leave(id) {
    this.#gone.add(id);
    const leaving = this.#card(id);
    leaving?.classList.add("leaving");
    for (const button of leaving?.querySelectorAll("button") ?? []) button.setAttribute("aria-disabled", "true");
  }

  /** It was not, after all. */
  stay(id) {
    this.#gone.delete(id);
    const staying = this.#card(id);
    staying?.classList.remove("leaving");
    for (const button of staying?.querySelectorAll("button") ?? []) button.removeAttribute("aria-disabled");
  }

  async #more(button) {
    button.disabled = true;
    button.textContent = "Asking…";
    const answer = await this.#ask({ limit: PAGE, page: this.#nextPage });
    if (answer === null) return;
    this.#moves = new Map();
    this.#take(answer, [...this.#items, ...answer.items]);
    this.#card(answer.items[0]?.video.id)?.querySelector("button.like").focus();
  }

  async #ask(asked) {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      return await this.#answer(asked, signal);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.#facts.replaceChildren();
        this.#box.replaceChildren(failed("No recommendations", error, () => this.show(this.#client)));
      }
      return null;
    }
  }

  /** New vectors are rationed; whoever has had many goes on with the stored one. */
  async #answer(asked, signal) {
    try {
      return await this.#client.recommendations(asked, signal);
    } catch (error) {
      if (!(asked.refresh && error.status === TOO_MANY)) throw error;
      return await this.#client.recommendations({ ...asked, refresh: false }, signal);
    }
  }

  #take(answer, items) {
    this.#items = items.filter(({ video }) => !this.#gone.has(video.id));
    this.#nextPage = answer.nextPage;
    const focused = this.#focused();
    glide(this.#box, () => this.#draw());
    this.#focus(focused);
    this.#facts.replaceChildren(
      fact("Model", element("code", {}, answer.modelVersion)),
      fact("Vector", answer.embeddingSource === "fresh" ? "computed just now" : "stored, still fresh"),
      fact("Sources", mixOf(this.#items)),
    );
  }

  #draw() {
    if (this.#items.length === 0) {
      this.#box.replaceChildren(empty("Nothing left", "Every video that may be shown has been decided on."));
      return;
    }
    const shown = this.#items.map((item, index) =>
      card(item, {
        place: index + 1,
        moved: this.#moves.get(item.video.id),
        decide: (decision) => this.#gone.has(item.video.id) || this.#decide(item.video, decision),
      })
    );
    const list = element("ol", { class: "cards" }, ...shown);
    const more = element("button", { type: "button", class: "quiet" }, "More recommendations");
    more.addEventListener("click", () => this.#more(more));
    const end = this.#nextPage === null ? element("p", { class: "note" }, "That is everything.") : more;
    this.#box.replaceChildren(list, element("div", { class: "end" }, end));
  }

  /** Where the keyboard is, to be there again: the place and the button. */
  #focused() {
    const button = document.activeElement?.closest(".card button");
    if (!button) return null;
    const cards = [...this.#box.querySelectorAll(".card")];
    return { place: cards.indexOf(button.closest(".card")), kind: button.classList[0] };
  }

  #focus(focused) {
    if (focused === null) return;
    const cards = this.#box.querySelectorAll(".card");
    const next = cards[Math.min(focused.place, cards.length - 1)];
    next?.querySelector(`button.${focused.kind}`)?.focus({ preventScroll: true });
  }

  #card(id) {
    return this.#box.querySelector(`.card[data-id="${id}"]`);
  }
}

/** Places that each video of the list rose; null where it was not shown before. */
function movesOf(before, items) {
  const places = new Map(before.map((id, place) => [id, place]));
  return new Map(
    items.map(({ video }, place) => [video.id, places.has(video.id) ? places.get(video.id) - place : null]),
  );
}

function mixOf(items) {
  const counts = new Map();
  for (const { source } of items) counts.set(source, (counts.get(source) ?? 0) + 1);
  return [...counts].map(([source, count]) => `${count} ${source}`).join(" · ") || "none";
}

function fact(name, value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value));
}
