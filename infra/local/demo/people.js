/** The choice of a person: one radio button each, so that the arrow keys walk along them. */

import { counted, element, hueOf, initials } from "./dom.js";

/** Show the people; `choose` is told of each choice. */
export function showPeople(box, people, chosen, choose) {
  box.replaceChildren(
    ...people.map((person) => {
      const mark = element(
        "span",
        { class: "avatar", "aria-hidden": "true" },
        person.newcomer ? "+" : initialsOf(person),
      );
      mark.style.setProperty("--hue", String(hueOf(person.userId)));
      return element(
        "label",
        { class: person.newcomer ? "person newcomer" : "person" },
        element("input", {
          type: "radio",
          name: "person",
          value: person.userId,
          checked: person.userId === chosen,
          onchange: () => choose(person),
        }),
        mark,
        element(
          "span",
          { class: "who" },
          element("b", {}, nameOf(person)),
          element("small", { "data-likes": person.userId }, likesOf(person.likes)),
        ),
      );
    }),
  );
}

/** Say how many likes a person has now. */
export function recount(box, userId, likes) {
  const place = box.querySelector(`[data-likes="${userId}"]`);
  if (place) place.textContent = likesOf(likes);
}

/** What a person is called. */
export function nameOf({ name, userId, newcomer }) {
  if (newcomer) return "Somebody new";
  return name ?? `User ${userId.slice(-6)}`;
}

function initialsOf({ name, userId }) {
  return name ? initials(name) : userId.slice(-2).toUpperCase();
}

function likesOf(likes) {
  return likes === 0 ? "no likes yet" : counted(likes, "like");
}
