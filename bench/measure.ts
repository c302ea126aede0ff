/** What a measure is, and how its rounds are run. */

import type { Peers } from "./peers.ts";
import { missing, type Subject } from "./programs.ts";

/** How much to run. */
export interface Settings {
  readonly rounds: number;
  /** For how long one value is measured, in milliseconds. */
  readonly duration: number;
  /** Connections of the measures that open many. */
  readonly connections: number;
  /** For how long a server is watched that is to stay as it is, in milliseconds. */
  readonly soak: number;
  readonly peers: Peers;
}

/** What Lengthwise is to reach. */
export type Goal = RelativeGoal | AbsoluteGoal;

/** A goal beside others in the same rounds. */
export interface RelativeGoal {
  /** Against these; where there are several, against the best of them. */
  readonly against: readonly Subject[];
  /** Lengthwise's value divided by theirs. */
  readonly ratio: number;
}

/** A goal that nobody else matters for. */
export interface AbsoluteGoal {
  /** Lengthwise's own value, in the unit of the row. */
  readonly value: number;
}

/** A row of the table. */
export interface Row {
  readonly name: string;
  readonly unit: "msg/s" | "conn/s" | "B/s" | "us" | "B" | "times";
  /** Whether less is better. */
  readonly least?: boolean;
  readonly goals?: readonly Goal[];
}

/** One or several rows whose values come from the same runs. */
export interface Measure {
  readonly rows: readonly Row[];
  readonly subjects: readonly Subject[];
  /**
   * Rounds that only warm up, until what runs once per block and not once per message is compiled too.
   *
   * @default 1
   */
  readonly warmUps?: number;
  /**
   * How many rounds count.
   *
   * @default as many as for the other measures
   */
  readonly rounds?: number;
  /**
   * Takes so long that it is run only when `--only` names it.
   *
   * @default false
   */
  readonly isLong?: boolean;
  /** Starts what it takes. */
  open(settings: Settings): Promise<Runs>;
}

/** A measure that is being run. */
export interface Runs extends AsyncDisposable {
  /** One value per row. */
  run(subject: Subject): Promise<number[]>;
}

/** A row with what was measured: a list of values per subject, one per round, or why there is none. */
export interface Result {
  readonly row: Row;
  readonly values: Partial<Record<Subject, number[] | string>>;
}

/**
 * Runs all subjects in turn, round after round, so that whatever else the machine does meets all of
 * them. The first rounds only warm up. The order changes from round to round. A subject that fails
 * says why in its column and is left out from then on.
 */
export async function measure(measure: Measure, settings: Settings): Promise<Result[]> {
  const results = measure.rows.map((row): Result => ({ row, values: {} }));
  const subjects = new Set(measure.subjects);
  const leaveOut = (subject: Subject, reason: string) => {
    subjects.delete(subject);
    for (const { values } of results) values[subject] = reason;
  };
  for (const subject of measure.subjects) {
    const reason = missing(subject, settings.peers);
    if (reason !== undefined) leaveOut(subject, reason);
    else for (const { values } of results) values[subject] = [];
  }
  if (subjects.size === 0) return results;
  await using runs = await measure.open(settings);
  const { warmUps = 1, rounds = settings.rounds } = measure;
  for (let round = 0; round < warmUps + rounds; round++) {
    const order = [...subjects];
    order.push(...order.splice(0, round % order.length));
    for (const subject of order) {
      try {
        const values = await runs.run(subject);
        if (round < warmUps) continue;
        values.forEach((value, i) => (results[i].values[subject] as number[]).push(value));
      } catch (error) {
        console.error(`Cannot measure ${subject}: ${error}`);
        leaveOut(subject, "failed");
      }
    }
  }
  return results;
}
