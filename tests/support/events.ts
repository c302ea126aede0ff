/** What the programs tell with `--json`. */

import { assert, assertEquals, assertMatch } from "@std/assert";

/** The events in a text, without their times, each of which must be one of RFC 3339 of just now. */
export function eventsIn(text: string): Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => {
    const { time, ...event } = JSON.parse(line);
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(Math.abs(Date.now() - Date.parse(time)) < 600_000, `${time} is now`);
    assertEquals(Object.keys(JSON.parse(line)).slice(0, 2), ["event", "time"]);
    return event;
  });
}
