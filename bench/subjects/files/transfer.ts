/** What the programs of all columns share: the file, its copy, and the time that a transfer takes. */

import { answer, say } from "../answer.mjs";

/** Where the file is, and its copy goes. */
export const directory: string = Deno.args[0];
/** The size of the file. */
export const bytes = Number(Deno.args[1]);
/** The names in the directory. */
export const SOURCE = "source";
export const COPY = "copy";
export const sourcePath = `${directory}/${SOURCE}`;
export const copyPath = `${directory}/${COPY}`;

/** Where the server takes the file, and where it gives it. */
export interface Places {
  readonly put: string;
  readonly get: string;
}

/** Each transfers the file over a connection of its own; resolves to the seconds that it took. */
export interface Client {
  put(to: string): Promise<number>;
  get(to: string): Promise<number>;
}

/** Says where the server is, and does what is asked for. */
export function ready(places: Places, client: Client): void {
  answer({
    put: ({ put }: Places) => client.put(put),
    get: ({ get }: Places) => client.get(get),
  });
  say(places);
}

/** The seconds that a transfer takes. The copy that it left is removed afterwards. */
export async function timed(transfer: () => Promise<unknown>): Promise<number> {
  try {
    const start = performance.now();
    await transfer();
    return (performance.now() - start) / 1000;
  } finally {
    await Deno.remove(copyPath).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
