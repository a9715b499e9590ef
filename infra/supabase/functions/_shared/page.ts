/** Where a list goes on: the videos that its earlier pages have shown, as a text that a client hands back unread.
 * It holds all that is needed, so any instance can go on with it, under any version; no secret and nobody's data. */

import { isUuid } from "./fields.ts";

const VERSION = 1;
const BYTES_AN_ID = 16;
/** More than this, and the ones seen first may come again. */
export const MOST_SEEN = 1000;
const LONGEST = Math.ceil(((1 + MOST_SEEN * BYTES_AN_ID) * 4) / 3);

export function writePage(seen: readonly string[]): string {
  const kept = seen.slice(-MOST_SEEN);
  const bytes = new Uint8Array(1 + kept.length * BYTES_AN_ID);
  bytes[0] = VERSION;
  kept.forEach((id, place) => {
    const digits = id.replaceAll("-", "");
    for (let at = 0; at < BYTES_AN_ID; at++) {
      bytes[1 + place * BYTES_AN_ID + at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
    }
  });
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The videos seen, or null where the text is none of ours. */
export function readPage(text: string): readonly string[] | null {
  if (text.length > LONGEST || !/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return null;
  const bytes = Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  if (bytes[0] !== VERSION || (bytes.length - 1) % BYTES_AN_ID !== 0) return null;
  const ids: string[] = [];
  for (let at = 1; at < bytes.length; at += BYTES_AN_ID) {
    const digits = bytes.slice(at, at + BYTES_AN_ID).map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    if (!isUuid(id)) return null;
    ids.push(id);
  }
  return ids;
}
