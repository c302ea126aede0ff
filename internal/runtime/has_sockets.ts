/** Whether the runtime has sockets: Deno, Node and Bun do, and pages have WebSockets only. */

import { builtinOrNone } from "./builtin.ts";

/** Whether programs of this runtime can open sockets. */
export const hasSockets: boolean = "Deno" in globalThis || builtinOrNone("node:net") !== undefined;
