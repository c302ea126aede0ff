import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { allOptions, COMMANDS, optionsOf, TALK } from "../../programs/client/commands.ts";
import { runHere } from "../support/in_process.ts";

Deno.test("client.ts COMMAND --help is a page that fits on a screen, with examples of that command", async () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    for (const args of [[name, "--help"], ["--help", name]]) {
      const { code, stdout, stderr } = await runHere("client.ts", args);
      assertEquals([code, stderr], [0, ""], name);
      const lines = stdout.trimEnd().split("\n");
      assert(lines.length <= 24, `${name}: ${lines.length} lines`);
      assertEquals(lines.slice(1).filter((line) => line.length > 80), [], name);
      assertMatch(lines[0], new RegExp(`^Usage: .* ${name}\\b.*\\[OPTION…\\]$`));
      for (const option of Object.keys(command.options ?? {})) {
        assertStringIncludes(stdout, `--${option}`, name);
      }
      for (const example of command.examples) assertStringIncludes(example, name);
    }
  }
});

Deno.test("client.ts --help names every command", async () => {
  const { stdout } = await runHere("client.ts", ["--help"]);
  for (const name of Object.keys(COMMANDS)) assertMatch(stdout, new RegExp(`\\b${name}\\b`));
});

Deno.test("An option has the same kind of value in every command of the client", () => {
  const all = allOptions();
  for (const command of [TALK, ...Object.values(COMMANDS)]) {
    for (
      const [name, { value, choices, range, list, repeated }] of Object.entries(optionsOf(command))
    ) {
      const other = all[name];
      assertEquals(
        { value, choices, range, list, repeated },
        {
          value: other.value,
          choices: other.choices,
          range: other.range,
          list: other.list,
          repeated: other.repeated,
        },
        name,
      );
    }
  }
});
