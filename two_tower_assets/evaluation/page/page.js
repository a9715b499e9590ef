"use strict";

/* Words that belong to a mark or a heading, shown where it is pointed at or tapped. */
(() => {
  const tip = document.getElementById("tip");
  const show = (event) => {
    const owner = event.target.closest?.("[data-tip]");
    tip.hidden = !owner;
    if (!owner) return;
    tip.textContent = owner.dataset.tip;
    const box = owner.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left), window.innerWidth - tip.offsetWidth - 8);
    const below = box.bottom + 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${below + tip.offsetHeight > window.innerHeight ? box.top - tip.offsetHeight - 8 : below}px`;
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("click", show);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
})();

/* The map: the nearest point to the pointer says what it is and which videos are most similar to it. */
(() => {
  const map = document.querySelector("svg.map");
  if (!map) return;
  const { tags, points } = JSON.parse(document.getElementById("map-points").textContent);
  const tip = document.querySelector(".map-tip");
  const chosen = map.querySelector(".chosen");
  const REACH = 60;
  let at = -1;

  const draw = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    chosen.append(node);
  };
  const line = (name, words) => {
    const node = document.createElement(name);
    node.textContent = words;
    tip.append(node);
  };
  const place = (x, y) => {
    const box = map.getBoundingClientRect();
    const scale = box.width / 1040;
    const left = (x + 20) * scale + 14;
    const top = (y + 20) * scale + 14;
    tip.style.left = `${Math.max(0, Math.min(left, box.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${top + tip.offsetHeight > box.height ? top - tip.offsetHeight - 28 : top}px`;
  };
  const choose = (index) => {
    at = index;
    chosen.replaceChildren();
    tip.replaceChildren();
    tip.hidden = index < 0;
    if (index < 0) return;
    const [x, y, title, tag, near] = points[index];
    for (const other of near) draw("line", { x1: x, y1: y, x2: points[other][0], y2: points[other][1] });
    draw("circle", { cx: x, cy: y, r: 9 });
    line("strong", title);
    if (tag !== null) line("span", tags[tag]);
    if (near.length) line("span", `near: ${near.map((other) => points[other][2]).join(" · ")}`);
    place(x, y);
  };
  const nearest = (x, y, allowed) => {
    let best = -1;
    let least = Infinity;
    points.forEach(([px, py], index) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least && allowed(px, py, distance)) { best = index; least = distance; }
    });
    return best;
  };
  const point = (event) => {
    const box = map.getBoundingClientRect();
    const scale = 1040 / box.width;
    const x = (event.clientX - box.left) * scale - 20;
    const y = (event.clientY - box.top) * scale - 20;
    choose(nearest(x, y, (px, py, distance) => distance < REACH ** 2));
  };
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  map.addEventListener("pointermove", point);
  map.addEventListener("click", point);
  map.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") choose(-1); });
  map.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (event.key === "Escape") choose(-1);
    if (!step) return;
    event.preventDefault();
    const [x, y] = at < 0 ? [500, 500] : points[at];
    /* Within 45 degrees of the arrow. */
    const ahead = (px, py, distance) => (px - x) * step[0] + (py - y) * step[1] > Math.SQRT1_2 * Math.sqrt(distance);
    const next = nearest(x, y, at < 0 ? () => true : (px, py, distance) => distance > 0 && ahead(px, py, distance));
    if (next >= 0) choose(next);
  });

  const buttons = [...document.querySelectorAll(".legend button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of buttons) other.setAttribute("aria-pressed", String(on && other === button));
      map.classList.toggle("lit", on);
      for (const dots of map.querySelectorAll(".dot")) {
        dots.classList.toggle("up", on && dots.classList.contains(`c${button.dataset.tag}`));
      }
    });
  }
})();

/* What is folded is printed too. */
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open])")) folded.open = true;
});
