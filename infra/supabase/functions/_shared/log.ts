/** One JSON line an event, for the platform's log search. Tokens, keys, payloads and user ids are never given. */

export type Fields = Readonly<Record<string, string | number | boolean | null>>;
export type Log = (event: string, fields?: Fields) => void;

export function logLine(event: string, fields: Fields = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}
