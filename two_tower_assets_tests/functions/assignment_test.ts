/** Who is in which arm, and whose pick is whose: the same as Python and SQL give. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type Arm,
  armOf,
  type Experiment,
  experimentOf,
  pointOf,
} from "../../infra/supabase/functions/_shared/experiments.ts";
import { NO_CHANGES } from "../../infra/supabase/functions/_shared/ranking_settings.ts";
import { teamDraft } from "../../infra/supabase/functions/_shared/team_draft.ts";
import { jsonOf } from "./testing.ts";

interface Assignment {
  readonly salt: string;
  readonly user_id: string;
  readonly point: number;
  readonly arms: readonly { readonly weights: readonly number[]; readonly place: number }[];
}

function experiment(salt: string, weights: readonly number[], from = 0, until = 1): Experiment {
  const arms = weights.map((weight, place): Arm => ({
    name: `${place}`,
    weight,
    release: null,
    ranking: NO_CHANGES,
  }));
  return { name: `${salt} ${from}`, kind: "arms", salt, from, until, arms };
}

Deno.test("points and arms are those of the shared vectors, to the last bit", async () => {
  const vectors = jsonOf("assignment.json") as Assignment[];
  for (const { salt, user_id, point, arms } of vectors) {
    for (const written of [user_id, user_id.toUpperCase()]) strictEqual(await pointOf(salt, written), point);
    for (const { weights, place } of arms) {
      strictEqual((await armOf(experiment(salt, weights), user_id)).name, `${place}`);
    }
  }
  strictEqual(vectors.length, 4 * 52);
});

Deno.test("a user is in the experiment whose slice the user's point in the traffic is in, or in none", async () => {
  const running = [experiment("a", [0.5, 0.5], 0.1, 0.3), experiment("b", [0.5, 0.5], 0.3, 0.9)];
  const traffic = (jsonOf("assignment.json") as Assignment[]).filter(({ salt }) => salt === "traffic");
  for (const { user_id, point } of traffic) {
    const expected = running.find(({ from, until }) => point >= from && point < until)?.name ?? null;
    strictEqual((await experimentOf(running, user_id))?.name ?? null, expected);
  }
  strictEqual(await experimentOf([], traffic[0]?.user_id ?? ""), null);
});

interface Draft {
  readonly control: readonly string[];
  readonly arm: readonly string[];
  readonly length: number;
  readonly arm_first: readonly boolean[];
  readonly picked: readonly (readonly [string, string])[];
}

const draft = ({ control, arm, length }: Pick<Draft, "control" | "arm" | "length">, coins: readonly boolean[]) => {
  const left = [...coins];
  return teamDraft(control, arm, length, (item) => item, () => left.shift() ?? false);
};

Deno.test("drafts are those of the shared vectors", () => {
  const vectors = jsonOf("team_draft.json") as Draft[];
  for (const vector of vectors) {
    deepStrictEqual(draft(vector, vector.arm_first).map(({ item, team }) => [item, team]), vector.picked);
  }
  strictEqual(vectors.length, 200);
});

Deno.test("the chance on record of each place is the share of all coins that lead there, given the places before", () => {
  const rounds = 4;
  for (const [control, arm] of [["abcd", "bcxy"], ["abcd", "abdc"], ["ab", "xyzw"], ["abc", "abc"], ["", "abcd"]]) {
    const length = 5;
    const drafts = Array.from({ length: 2 ** (rounds + 1) }, (_, bits) => {
      const coins = Array.from({ length: rounds + 1 }, (_, round) => (bits >> round) % 2 === 1);
      return draft({ control: [...control ?? ""], arm: [...arm ?? ""], length }, coins);
    });
    const beginning = (picked: typeof drafts[0], places: number) =>
      picked.slice(0, places).map(({ item }) => item).join();
    for (const picked of drafts) {
      picked.forEach(({ propensity }, place) => {
        const before = drafts.filter((other) => beginning(other, place) === beginning(picked, place));
        const there = before.filter((other) => beginning(other, place + 1) === beginning(picked, place + 1));
        strictEqual(propensity, there.length / before.length);
      });
      ok(picked.length <= length);
    }
  }
});
