/** One server process per subject, and who talks to it, for the rounds of one measure. */

import { Child, onOneCore, type Program } from "../child.ts";
import type { Runs, Settings } from "../measure.ts";
import { load as loadProgram, missing, server, type Subject, wireOf } from "../programs.ts";
import type { Wire } from "../load/wire.ts";

/** A server that has been started. */
export interface Started {
  readonly child: Child;
  readonly port: number;
  readonly wire: Wire;
  /** Whether its connections are sessions. */
  readonly session?: boolean;
}

/** What to start. */
export interface Setup {
  readonly subjects: readonly Subject[];
  /** Who makes the load: one program for all, or each subject's own client. */
  readonly client: "load" | "own";
  /** The service and its arguments. */
  readonly service: (subject: Subject) => readonly string[];
  /** Whether servers and load share one core. */
  readonly oneCore?: boolean;
  /** One value per row. */
  run(client: Child, server: Started): Promise<number[]>;
}

/** Starts the servers and their clients. */
export async function openServers(setup: Setup, settings: Settings): Promise<Runs> {
  const { peers } = settings;
  const place = setup.oneCore ? onOneCore : (program: Program) => program;
  await using stack = new AsyncDisposableStack();
  const start = async (program: Program) => {
    const child = stack.use(new Child(await place(program)));
    return { child, ...await child.next<{ port: number }>() };
  };
  const load = setup.client === "load" ? (await start(loadProgram(peers))).child : undefined;
  const started = new Map<Subject, [Child, Started]>();
  for (const subject of setup.subjects) {
    if (missing(subject, peers) !== undefined) continue;
    const under = await start(server(subject, setup.service(subject), peers));
    const client = load ?? (await start(server(subject, ["idle"], peers))).child;
    started.set(subject, [client, { ...under, wire: wireOf(subject) }]);
  }
  const owned = stack.move();
  return {
    run: (subject) => setup.run(...started.get(subject)!),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
