/** Events: what programs are told, one JSON object per line. */

/** Something that happened, in types that JSON has. */
export type Event = { readonly event: string } & Record<string, unknown>;

/** How important something is, the least important first. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of these. */
export type Level = (typeof LEVELS)[number];

/** Whether something of this level is told where only what is at least so important is. */
export function isTold(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/** An event as a line. Its `time` is now, in UTC as RFC 3339 has it, if the event has none. */
export function eventLine({ event, ...fields }: Event): string {
  return JSON.stringify({ event, time: timeText(), ...fields }) + "\n";
}

/** Now, in UTC as RFC 3339 has it, with milliseconds. */
export function timeText(): string {
  return new Date().toISOString();
}
