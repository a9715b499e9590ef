/** What a caller of `ai-recommend-v5` may ask for. */

import { readJson } from "../_shared/body.ts";
import { Fields } from "../_shared/fields.ts";
import { readPage } from "../_shared/page.ts";

const LARGEST_BODY = 128 * 1024;
const MOST_IDS = 1000;
const MOST_REGIONS = 300;
const LARGEST_SMALLINT = 32_767;

export interface Asked {
  readonly userId: string;
  readonly limit: number;
  readonly bannedTagIds: readonly string[];
  readonly allowedRegions: readonly string[];
  readonly excludeVideoIds: readonly string[];
  readonly maxSafetyLevel: number;
  readonly refresh: boolean;
  /** What earlier pages have shown. */
  readonly seen: readonly string[];
}

/** Read and check a request; raises HttpError 400 or 413. */
export async function readAsked(request: Request): Promise<Asked> {
  const fields = new Fields(await readJson(request, LARGEST_BODY));
  const asked = {
    userId: fields.uuid("user_id"),
    limit: fields.integer("limit", 40, 1, 200),
    bannedTagIds: fields.uuids("bannedTagIds", MOST_IDS),
    allowedRegions: fields.texts("allowedRegions", MOST_REGIONS),
    excludeVideoIds: fields.uuids("excludeVideoIds", MOST_IDS),
    maxSafetyLevel: fields.integer("maxSafetyLevel", 1, -LARGEST_SMALLINT, LARGEST_SMALLINT),
    refresh: fields.boolean("refresh_user_embedding", false),
    seen: fields.parsed("page", readPage) ?? [],
  };
  fields.done();
  return asked;
}
