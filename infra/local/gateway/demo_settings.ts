/** What the demo is told: by the same variables as the functions, all of them required here. */

import type { PeopleSource } from "./demo_people.ts";

export interface DemoSettings extends PeopleSource {
  /** Key of a client that nobody has signed in to; the page sends it along. */
  readonly anonKey: string;
  /** Signs tokens (HS256). */
  readonly jwtSecret: string;
  /** Where the page's files lie, with a slash at its end. */
  readonly files: URL;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const TIMEOUT_MILLISECONDS = 5000;

/** Read `SUPABASE_URL`, `SUPABASE_SERVICE_ROLE_KEY`, `SUPABASE_ANON_KEY` and `SUPABASE_JWT_SECRET`. */
export function readDemoSettings(variables: (name: string) => string | undefined): DemoSettings {
  const required = (name: string): string => {
    const value = variables(name);
    if (value === undefined) throw new Error(`${name} is not set`);
    return value;
  };
  return {
    supabaseUrl: required("SUPABASE_URL"),
    serviceKey: required("SUPABASE_SERVICE_ROLE_KEY"),
    anonKey: required("SUPABASE_ANON_KEY"),
    jwtSecret: required("SUPABASE_JWT_SECRET"),
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    files: new URL("../demo/", import.meta.url),
    now: Date.now,
  };
}
