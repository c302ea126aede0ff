/** The options of what runs a program per connection. */

import type { OptionSpecs } from "./options.ts";

/** They name the program. */
export const EXEC_OPTIONS: OptionSpecs = {
  exec: { value: "COMMAND", group: "Exec", help: "a program for each connection, without a shell" },
  shell: { value: "LINE", group: "Exec", help: "the same, by sh -c" },
};
