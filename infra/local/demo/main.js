/** The page: who is looked at, and what changes when they decide. */

import { Client, people } from "./api.js";
import { element } from "./dom.js";
import { Likes } from "./likes.js";
import { Recommendations } from "./recommendations.js";
import { nameOf, recount, showPeople } from "./people.js";
import { failed } from "./states.js";
import { titleOf } from "./video.js";

const at = (id) => document.getElementById(id);
const likes = new Likes(at("likes"), at("likes-count"));
const recommendations = new Recommendations(at("list"), at("facts"), decide);
let person = null;
let client = null;
let undo = null;

at("picker").addEventListener("submit", (event) => event.preventDefault());
at("undo").addEventListener("click", () => undo?.());
await start();

async function start() {
  at("people").replaceChildren(...Array.from({ length: 4 }, () => element("span", { class: "person ghost" })));
  let found;
  try {
    found = await people();
  } catch (error) {
    at("people").replaceChildren(failed("Nobody to show", error, start));
    return;
  }
  const wanted = new URL(location.href).searchParams.get("user");
  const first = found.find(({ userId }) => userId === wanted) ?? found[0];
  showPeople(at("people"), found, first.userId, choose);
  await choose(first);
}

async function choose(chosen) {
  person = chosen;
  client = new Client(chosen.userId);
  history.replaceState(null, "", `/demo?user=${chosen.userId}`);
  say("");
  await Promise.all([likes.show(client), recommendations.show(client)]);
  if (client?.userId === chosen.userId) at("spoken").textContent = `${nameOf(chosen)}: ${recommendations.summary}`;
}

/** Write a decision, then ask for everything again: what changed is what the stack says, not what the page guesses. */
async function decide(video, decision) {
  const asked = client;
  recommendations.leave(video.id);
  say(`Writing ${decision.toUpperCase()}…`);
  try {
    await asked.decide(video.id, decision);
  } catch (error) {
    recommendations.stay(video.id);
    if (asked === client) say(`“${titleOf(video)}” was not decided on: ${error.message}`);
    return;
  }
  if (asked !== client) return;
  await again(`${decision === "like" ? "Liked" : "Noped"} “${titleOf(video)}”.`, {}, () => takeBack(video));
}

async function takeBack(video) {
  const asked = client;
  try {
    await asked.undecide(video.id);
  } catch (error) {
    if (asked === client) say(`The decision stands: ${error.message}`, undo);
    return;
  }
  if (asked !== client) return;
  recommendations.stay(video.id);
  // A decision that is gone leaves no trace that makes a stored vector stale, so a new one is asked for.
  await again(`Took back “${titleOf(video)}”.`, { refresh: true }, null);
}

async function again(done, how, takenBack) {
  const asked = client;
  const [total] = await Promise.all([likes.refresh(), recommendations.refresh(how)]);
  if (asked !== client) return;
  if (total !== null) recount(at("people"), person.userId, total);
  say(`${done} ${recommendations.changes}`.trim(), takenBack);
}

/** Show and speak a line; `takeBack`, where given, undoes what it says. */
function say(text, takeBack = null) {
  undo = takeBack;
  at("bar").hidden = text === "";
  at("bar-text").textContent = text;
  at("undo").hidden = takeBack === null;
  at("spoken").textContent = text;
}
