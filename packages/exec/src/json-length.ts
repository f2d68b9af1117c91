/**
 * Whether a JSON value is longer than `max` characters as text, without its escapes and spaces. It is counted and not
 * written, and no further than to `max`.
 */
export function isLongerThan(value: unknown, max: number): boolean {
  return left(value, max) < 0;
}

/** What is left of `room` behind the value; below 0 where it does not fit. */
function left(value: unknown, room: number): number {
  if (typeof value === "string") return room - value.length - 2;
  if (typeof value !== "object" || value === null) return room - String(value).length;
  let rest = room - 1; // the closing bracket; the other goes with a comma that the last one does not have
  if (Array.isArray(value)) {
    for (const member of value) if ((rest = left(member, rest - 1)) < 0) return rest;
    return value.length === 0 ? rest - 1 : rest;
  }
  const names = Object.keys(value);
  for (const name of names)
    if ((rest = left((value as Record<string, unknown>)[name], rest - name.length - 4)) < 0) return rest;
  return names.length === 0 ? rest - 1 : rest;
}
