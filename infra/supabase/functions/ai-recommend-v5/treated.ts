/** A user's list as the running experiments want it; the live one where there is none, or where it cannot be had. */

import type { Version } from "../_shared/data.ts";
import type { Model } from "../_shared/model.ts";
import { DatabaseError } from "../_shared/postgrest.ts";
import type { Ranker, RunningExperiments, Treatment } from "../_shared/running_experiments.ts";
import { type Team, teamDraft } from "../_shared/team_draft.ts";
import { recommend, type Recommended, type RecommendNeeds } from "./recommend.ts";
import type { Asked } from "./request.ts";

/** An experiment that has just stopped is refused once, and one whose vectors are gone again and again: then the live
 * list is the answer. */
const MOST_REFUSALS = 2;

export interface TreatedNeeds extends RecommendNeeds {
  readonly experiments: RunningExperiments;
}

export interface Treated extends Recommended {
  /** Null: the list is no exposure. */
  readonly exposure: { readonly experiment: string; readonly arm: string } | null;
  readonly teams: readonly Team[] | null;
}

/**
 * @param model the live one
 * @param attempt how often the database refused before
 */
export async function treated(
  needs: TreatedNeeds,
  asked: Asked,
  model: Model,
  version: Version,
  attempt: number,
): Promise<Treated> {
  const treatment = await needs.experiments.treatment(asked.userId, model);
  if (treatment !== null && attempt < MOST_REFUSALS) {
    const list = await exposed(needs, asked, model, version, treatment);
    if (list !== null) return list;
  } else if (treatment !== null) {
    notServed(needs, treatment, "refused_by_the_database");
  }
  return { ...await recommend(needs, asked, model, { ...version, experiment: null }), exposure: null, teams: null };
}

/** Null where an arm's model fails with this user. */
async function exposed(
  needs: TreatedNeeds,
  asked: Asked,
  live: Model,
  version: Version,
  treatment: Treatment,
): Promise<Treated | null> {
  const { experiment, arm, rankers: [first, second] } = treatment;
  const ranked = (ranker: Ranker, more: Partial<RecommendNeeds> = {}): Promise<Recommended> => {
    const own = ranker.model !== live;
    const of = {
      modelVersion: ranker.model.modelVersion,
      allowRetired: !own && version.allowRetired,
      experiment,
    };
    return recommend({ ...needs, ...more }, asked, ranker.model, of, ranker.changes);
  };
  try {
    const exposure = { experiment, arm };
    if (second === undefined) return { ...await ranked(first), exposure, teams: null };
    // A place that is given away would be nobody's pick.
    const both = await Promise.all([first, second].map((ranker) => ranked(ranker, { exploreShare: 0 })));
    return { ...interleaved(both as [Recommended, Recommended], asked.limit, needs.random), exposure };
  } catch (error) {
    // Whatever is wrong with an arm's model is wrong for its users alone.
    if (error instanceof DatabaseError || treatment.rankers.every((ranker) => ranker.model === live)) throw error;
    notServed(needs, treatment, error instanceof Error ? error.name : typeof error);
    return null;
  }
}

/** Of the control's list, with the places of both. */
function interleaved(
  [control, arm]: readonly [Recommended, Recommended],
  limit: number,
  random: () => number,
): Omit<Treated, "exposure"> {
  const picked = teamDraft(control.items, arm.items, limit, ({ video }) => video.id, () => random() < 0.5);
  return {
    ...control,
    popular: control.popular || arm.popular,
    items: picked.map(({ item, propensity }) => ({ ...item, propensity })),
    teams: picked.map(({ team }) => team),
  };
}

function notServed(needs: TreatedNeeds, { experiment, arm, rankers }: Treatment, reason: string): void {
  needs.experiments.notServed(experiment, arm, rankers.at(-1)?.model.modelVersion ?? null, reason);
}
