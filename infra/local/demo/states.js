/** What stands where a list would: nothing there, something wrong, or still waiting. */

import { element } from "./dom.js";

export function empty(title, text) {
  return element("div", { class: "empty" }, element("b", {}, title), element("p", {}, text));
}

/** An error, with another try. */
export function failed(title, error, again) {
  return element(
    "div",
    { class: "empty failed", role: "alert" },
    element("b", {}, title),
    element("p", {}, error.message),
    element("button", { type: "button", class: "quiet", onclick: again }, "Try again"),
  );
}

/** Grey shapes of `count` things of a kind: `card` or `liked`. */
export function waiting(kind, count) {
  const shapes = Array.from({ length: count }, () => element("li", { class: `${kind} ghost` }));
  return element("ul", { class: kind === "card" ? "cards" : "rows", "aria-hidden": "true" }, ...shapes);
}
