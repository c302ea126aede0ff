/** Writes docs/formats.md: `deno run -A programs/formats/generate.ts`. */

import { document } from "./document.ts";
import { FORMATS } from "./table.ts";

const file = new URL("../../docs/formats.md", import.meta.url);
await Deno.writeTextFile(file, document(FORMATS));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file.pathname] }).output();
