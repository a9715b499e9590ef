/** A video: as a card of the list, with what the model says of it, and as a row among the likes. */

import { element, hueOf, icon, initials } from "./dom.js";

const MOST_TAGS = 4;
const SOURCES = {
  model: ["Model", "Near this person's vector"],
  popular: ["Popular", "Liked by many lately; shown to whoever likes nothing yet"],
  explore: ["Explore", "A place given away to learn what was not shown"],
};

/** A card of the list. `place` counts from 1; `moved` is the places it rose, null where it is new to the list. */
export function card({ video, similarity, score, source }, { place, moved, decide }) {
  const title = titleOf(video);
  return element(
    "li",
    { class: "card", "data-id": video.id },
    element("div", { class: "picture" }, thumbnail(video), element("span", { class: "place" }, String(place))),
    element(
      "div",
      { class: "text" },
      element("div", { class: "chips" }, sourceChip(source), movedChip(moved)),
      element("h3", {}, title),
      element("p", { class: "maker" }, factsOf(video)),
      tagsOf(video),
      figures(similarity, score, source),
    ),
    element(
      "div",
      { class: "actions" },
      button("like", "Like", title, () => decide("like")),
      button("nope", "Nope", title, () => decide("nope")),
    ),
  );
}

/** A row among the likes. */
export function likedRow(video, isNew) {
  return element(
    "li",
    { class: isNew ? "liked arrived" : "liked", "data-id": video.id },
    thumbnail(video),
    element(
      "div",
      { class: "text" },
      element("h3", {}, titleOf(video)),
      element("p", { class: "maker" }, factsOf(video)),
      element("p", { class: "tagline" }, (video.tags ?? []).slice(0, MOST_TAGS).join(" · ")),
    ),
  );
}

/** What a video is called. */
export function titleOf(video) {
  return video.title || "Untitled video";
}

function thumbnail(video) {
  const made = element("div", { class: "thumbnail", "aria-hidden": "true" }, initials(titleOf(video)));
  made.style.setProperty("--hue", String(hueOf(video.id)));
  return made;
}

function sourceChip(source) {
  const [label, meaning] = SOURCES[source] ?? [source, ""];
  return element("span", { class: `chip ${source}`, title: meaning }, icon(source), label);
}

function movedChip(moved) {
  if (moved === undefined || moved === 0) return null;
  if (moved === null) return element("span", { class: "chip move new" }, "New here");
  const [sign, words] = moved > 0 ? ["▲", "up"] : ["▼", "down"];
  const label = `${Math.abs(moved)} ${words}`;
  return element("span", { class: `chip move ${words}` }, element("span", { "aria-hidden": "true" }, sign), label);
}

function tagsOf({ tags = [] }) {
  if (tags.length === 0) return null;
  const more = tags.length - MOST_TAGS;
  return element(
    "ul",
    { class: "tags", "aria-label": "Tags" },
    ...tags.slice(0, MOST_TAGS).map((tag) => element("li", {}, tag)),
    more > 0 ? element("li", { class: "more", title: tags.slice(MOST_TAGS).join(", ") }, `+${more}`) : null,
  );
}

function figures(similarity, score, source) {
  const meter = element("span", { class: "meter", "aria-hidden": "true" }, element("i"));
  meter.style.setProperty("--share", String(Math.max(0, Math.min(1, similarity ?? 0))));
  return element(
    "dl",
    { class: "figures" },
    element("div", {}, element("dt", {}, "Similarity"), element("dd", {}, number(similarity), meter)),
    element(
      "div",
      {},
      element("dt", { title: source === "popular" ? "Fading likes" : "What the list is sorted by" }, "Score"),
      element("dd", {}, number(score)),
    ),
  );
}

function button(kind, label, title, press) {
  return element(
    "button",
    { type: "button", class: kind, "aria-label": `${label}: ${title}`, onclick: press },
    icon(kind),
    label,
  );
}

function factsOf({ maker, price, product_released_at: released }) {
  const year = released ? new Date(released).getUTCFullYear() : null;
  const cost = typeof price === "number" ? (price === 0 ? "free" : `price\u00a0${price.toLocaleString("en")}`) : null;
  return [maker || "Unknown maker", year, cost].filter((part) => part !== null && part !== undefined).join(" · ");
}

function number(value) {
  if (typeof value !== "number") return "none";
  return value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace("-", "−");
}
