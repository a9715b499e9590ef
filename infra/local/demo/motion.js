/** Cards glide from where they stood to where they stand, for whoever has not asked for less motion. */

const TIME = { duration: 380, easing: "cubic-bezier(.2, .8, .2, 1)" };

/** Change the list by `change` and let the cards that stay glide. */
export function glide(list, change) {
  const before = new Map(cards(list).map((card) => [card.dataset.id, card.getBoundingClientRect()]));
  change();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const card of cards(list)) {
    const from = before.get(card.dataset.id);
    const to = card.getBoundingClientRect();
    if (from === undefined) {
      card.animate([{ opacity: 0, transform: "scale(.96)" }, { opacity: 1, transform: "none" }], TIME);
    } else if (from.x !== to.x || from.y !== to.y) {
      card.animate([{ transform: `translate(${from.x - to.x}px, ${from.y - to.y}px)` }, { transform: "none" }], TIME);
    }
  }
}

function cards(list) {
  return [...list.querySelectorAll(".card[data-id]")];
}
