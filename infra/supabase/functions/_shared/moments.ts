/** ISO 8601 times to whole microseconds since 1970, as exactly as Postgres has them; `Date` would cut the last three
 * digits. */

const MOMENT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt _](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?$/;
const MICROSECONDS_A_MINUTE = 60_000_000;

export const MICROSECONDS_A_DAY = 86_400_000_000;

/** Microseconds since 1970 of a time of the years 1…9999, or null. Without an offset it is UTC. */
export function parseMoment(text: string): number | null {
  const parts = MOMENT.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((group) => Number(parts[group] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = offsetMinutes(parts[9], Number(parts[10] ?? 0), Number(parts[11] ?? 0));
  if (year === 0 || hour > 23 || minute > 59 || second > 59 || offset === null) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const microseconds = Number((parts[7] ?? "").padEnd(6, "0").slice(0, 6));
  return date.getTime() * 1000 + microseconds - offset * MICROSECONDS_A_MINUTE;
}

function offsetMinutes(sign: string | undefined, hours: number, minutes: number): number | null {
  if (hours > 23 || minutes > 59) return null;
  return (sign === "-" ? -1 : 1) * (60 * hours + minutes);
}
