/** A progress bar, on a terminal only. */

import { format as formatBytes } from "@std/fmt/bytes";
import { printable } from "../../internal/text.ts";
import type { Output } from "../shared/output.ts";

/** How often it is drawn, in milliseconds. */
const DRAW_EVERY = 100;
/** A rate is an average over about this time, in milliseconds. */
const RATE_TIME = 3_000;

/** A progress bar. */
export interface ProgressBar extends Disposable {
  /** Seconds since the first bytes. */
  readonly seconds: number;
  /** Shows that `done` of `total` bytes are done. */
  show(done: number, total: number): void;
  /** Removes the bar until it is shown again. */
  clear(): void;
}

/** Makes a bar on stderr. If that is no terminal, the bar shows nothing. */
export function progressBar(name: string, stderr: Output, { quiet = false } = {}): ProgressBar {
  const isShown = !quiet && stderr.isTerminal;
  let startedAt: number | undefined;
  let drawnAt = 0;
  let drawnBytes = 0;
  let rate: number | undefined;
  let isVisible = false;
  const clear = () => {
    if (isVisible) stderr.write("\r\x1b[K");
    isVisible = false;
  };
  return {
    get seconds() {
      return startedAt === undefined ? 0 : (performance.now() - startedAt) / 1_000;
    },
    show(done, total) {
      const now = performance.now();
      if (startedAt === undefined || done < drawnBytes) {
        startedAt ??= now;
        [drawnAt, drawnBytes] = [now, done];
      }
      const passed = now - drawnAt;
      if (!isShown || passed < DRAW_EVERY && done < total || stderr.queuedBytes > 0) return;
      if (passed > 0) {
        const current = (done - drawnBytes) / passed * 1_000;
        const weight = Math.min(1, passed / RATE_TIME);
        rate = rate === undefined ? current : rate + (current - rate) * weight;
      }
      [drawnAt, drawnBytes] = [now, done];
      const { columns } = Deno.consoleSize();
      const line = progressLine(printable(name), done, total, rate ?? 0, columns);
      stderr.write(`\r${line}\x1b[K`);
      isVisible = true;
    },
    clear,
    [Symbol.dispose]: clear,
  };
}

/**
 * The text of the bar: name, bar, percentage, rate in bytes per second, and the time that is left.
 */
export function progressLine(
  name: string,
  done: number,
  total: number,
  rate: number,
  columns: number,
): string {
  const share = total === 0 ? 1 : done / total;
  const left = rate > 0 ? timeText((total - done) / rate) : "--:--";
  const figures = `${String(Math.floor(share * 100)).padStart(3)} % of ${formatBytes(total)} ` +
    `${formatBytes(rate)}/s ${left} left`;
  // One column stays free. Otherwise the cursor would go to the next line.
  const room = columns - 1 - figures.length - 1;
  if (room < 10) return figures.slice(0, Math.max(0, columns - 1));
  const title = [...name].slice(0, Math.floor(room / 2)).join("");
  const width = Math.min(40, room - [...title].length - 3);
  if (width < 4) return figures;
  const full = Math.floor(share * width);
  return `${title} [${"#".repeat(full)}${".".repeat(width - full)}] ${figures}`;
}

/** Seconds as minutes or hours. */
export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 99) return "days";
  const short = `${two(minutes)}:${two(whole % 60)}`;
  return hours === 0 ? short : `${hours}:${short}`;
}
