/** The version of the programs; a test holds it against `deno.json`. */
export const VERSION = "0.1.0";
