/** What a deployment says of itself, read once at start; what it may say and what holds when it says nothing. */

export type EngineName = "typescript" | "wasm";

export interface Environment {
  /** `SUPABASE_URL`, without a slash at its end. */
  readonly supabaseUrl: string;
  /** The key that the function itself uses: PostgREST takes it as service_role. */
  readonly serviceKey: string;
  /** Every key that marks a server: service role keys and `sb_secret_…`. */
  readonly serverKeys: readonly string[];
  /** `SUPABASE_JWT_SECRET` or `JWT_SECRET`: of tokens that are signed the older way (HS256). */
  readonly jwtSecret: string | null;
  /** `SUPABASE_JWT_ISSUER`: required of users' tokens when set. */
  readonly jwtIssuer: string | null;
  /** `MODEL_ARTIFACT_BASE_URL` without `/current`: where the versions' folders lie side by side. */
  readonly artifactsUrl: string;
  /** `ALLOWED_ORIGINS`: `*`, or origins parted by commas. */
  readonly allowedOrigins: readonly string[];
  /** `INFERENCE_ENGINE`. */
  readonly engine: EngineName;
  /** `MODEL_REFRESH_SECONDS`: how often what is live and what runs is asked for. */
  readonly modelRefreshSeconds: number;
  /** `DATABASE_TIMEOUT_SECONDS`: of one call, waiting for a free slot included. */
  readonly databaseTimeoutSeconds: number;
  /** `DATABASE_CONCURRENCY`: calls at the same time; more wait. */
  readonly databaseConcurrency: number;
  /** `ARTIFACT_TIMEOUT_SECONDS`: of one file. */
  readonly artifactTimeoutSeconds: number;
  /** `FORCE_BURST` and `FORCE_INTERVAL_SECONDS`: forced recomputations a user may ask for at once, and how soon
   * one more. */
  readonly forceBurst: number;
  readonly forceIntervalSeconds: number;
  /** `RECOMMEND_CANDIDATES`: fewest videos that a list is chosen from. */
  readonly candidates: number;
  /** `DIVERSITY_LAMBDA`: 1 sorts by score alone, less gives way to other makers and tags. */
  readonly diversityLambda: number;
  /** `EXPLORE_SHARE`: chance of each place to show one of the candidates that would not have been shown. */
  readonly exploreShare: number;
  /** `RECOMMEND_ARM`: the name that served lists of no experiment are logged under. */
  readonly arm: string;
}

export type Variables = (name: string) => string | undefined;

/** A deployment that cannot work; says which variable to set. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** Read the variables; an empty value counts as unset. */
export function readEnvironment(variables: Variables): Environment {
  const text = (name: string): string | null => variables(name)?.trim() || null;
  const keys = [
    text("SUPABASE_SERVICE_ROLE_KEY"),
    text("SUPABASE_SERVICE_KEY"),
    ...secretKeys(text("SUPABASE_SECRET_KEYS")),
  ].filter((key) => key !== null);
  return {
    supabaseUrl: url("SUPABASE_URL", text("SUPABASE_URL")),
    serviceKey: required("SUPABASE_SERVICE_ROLE_KEY", keys[0] ?? null),
    serverKeys: keys,
    jwtSecret: text("SUPABASE_JWT_SECRET") ?? text("JWT_SECRET"),
    jwtIssuer: text("SUPABASE_JWT_ISSUER"),
    artifactsUrl: besideCurrent(url("MODEL_ARTIFACT_BASE_URL", text("MODEL_ARTIFACT_BASE_URL"))),
    allowedOrigins: (text("ALLOWED_ORIGINS") ?? "*").split(",").map((origin) => origin.trim()).filter(Boolean),
    engine: engine(text("INFERENCE_ENGINE") ?? "typescript"),
    modelRefreshSeconds: number("MODEL_REFRESH_SECONDS", text("MODEL_REFRESH_SECONDS"), 30, 0, 86_400),
    databaseTimeoutSeconds: number("DATABASE_TIMEOUT_SECONDS", text("DATABASE_TIMEOUT_SECONDS"), 5, 0.01, 120),
    databaseConcurrency: number("DATABASE_CONCURRENCY", text("DATABASE_CONCURRENCY"), 24, 1, 1000),
    artifactTimeoutSeconds: number("ARTIFACT_TIMEOUT_SECONDS", text("ARTIFACT_TIMEOUT_SECONDS"), 10, 0.01, 120),
    forceBurst: number("FORCE_BURST", text("FORCE_BURST"), 3, 1, 1000),
    forceIntervalSeconds: number("FORCE_INTERVAL_SECONDS", text("FORCE_INTERVAL_SECONDS"), 10, 0.01, 86_400),
    candidates: number("RECOMMEND_CANDIDATES", text("RECOMMEND_CANDIDATES"), 60, 1, 500),
    diversityLambda: number("DIVERSITY_LAMBDA", text("DIVERSITY_LAMBDA"), 0.9, 0, 1),
    exploreShare: number("EXPLORE_SHARE", text("EXPLORE_SHARE"), 0.02, 0, 0.5),
    arm: text("RECOMMEND_ARM") ?? "default",
  };
}

function required(name: string, value: string | null): string {
  if (value === null) throw new EnvironmentError(`${name} is not set`);
  return value;
}

function url(name: string, value: string | null): string {
  const given = required(name, value).replace(/\/+$/, "");
  if (!/^https?:\/\/[^/]/.test(given)) throw new EnvironmentError(`${name} is not an http(s) URL`);
  return given;
}

function besideCurrent(base: string): string {
  if (!base.endsWith("/current")) {
    throw new EnvironmentError("MODEL_ARTIFACT_BASE_URL does not end with /current");
  }
  return base.slice(0, -"/current".length);
}

function engine(name: string): EngineName {
  if (name === "typescript" || name === "wasm") return name;
  throw new EnvironmentError("INFERENCE_ENGINE is neither typescript nor wasm");
}

function number(name: string, value: string | null, otherwise: number, least: number, most: number): number {
  if (value === null) return otherwise;
  const given = Number(value);
  if (!(given >= least && given <= most)) {
    throw new EnvironmentError(`${name} is not a number from ${least} to ${most}`);
  }
  return given;
}

/** The JSON dictionary that hosted functions are given; the key named `default` comes first. */
function secretKeys(value: string | null): string[] {
  if (value === null) return [];
  try {
    const keys: unknown = JSON.parse(value);
    if (typeof keys === "object" && keys !== null && !Array.isArray(keys)) {
      const named = Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === "string");
      return named.sort(([a], [b]) => Number(b === "default") - Number(a === "default")).map(([, key]) => key);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new EnvironmentError('SUPABASE_SECRET_KEYS is not a JSON dictionary such as {"default": "sb_secret_…"}');
}
