/** Times in the margin, beside lines that are broken between words. */

import { dim } from "@std/fmt/colors";
import { wrap } from "./wrap.ts";

/** The columns of a time and a space. */
const WIDTH = 6;
/** A narrower window has no margin. */
const MIN_COLUMNS = 30;

/** What a line looks like in a window of so many columns. */
export type Layout = (columns: number) => string;

/** Puts lines beside the times of this machine's clock. A line that is of another day has its date above. */
export class Margin {
  #day: string;

  /** `now` is the day of which no date is shown, in milliseconds since 1970. */
  constructor(now: number = Date.now()) {
    this.#day = dayOf(new Date(now));
  }

  /** How a line of a time, in milliseconds since 1970, is shown. Lines must be given in their order. */
  beside(time: number, line: string): Layout {
    const date = new Date(time);
    const day = dayOf(date);
    const heading = day === this.#day ? "" : dim(`--- ${day} ---`) + "\n";
    this.#day = day;
    const clock = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())} `;
    return (columns) => {
      const indent = columns < MIN_COLUMNS ? 0 : WIDTH;
      const rows = wrap(line, { columns, indent });
      const before = indent === 0 ? "" : dim(clock);
      return heading + before + rows.join(`\n${" ".repeat(indent)}`);
    };
  }
}

function dayOf(date: Date): string {
  const [month, day] = [date.getMonth() + 1, date.getDate()].map(twoDigits);
  return `${date.getFullYear()}-${month}-${day}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
