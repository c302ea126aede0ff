/** The scripts of `completion`, run by the shells themselves. */

import { assertEquals, assertMatch } from "@std/assert";
import { FRAMING_NAMES } from "../../codec.ts";
import { COMMANDS, optionsOf } from "../../programs/client/commands.ts";
import { OPTIONS } from "../../programs/server/options.ts";
import { SERVICE_NAMES } from "../../programs/server/services.ts";
import { testWith } from "../interop/peers.ts";
import { runHere } from "../support/in_process.ts";

async function scriptFor(shell: string, ...names: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere("client.ts", ["completion", shell, ...names]);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** Runs a shell with a script in a file and words of its own; its lines. */
async function shell(name: string, script: string, args: readonly string[] = []) {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, script);
  const { code, stdout, stderr } = await new Deno.Command(name, { args: [...args, file] }).output();
  await Deno.remove(file);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

const LAST = "zzz-end";

/** What is offered for the last of some words, by bash's own rules. */
async function byBash(...lines: string[][]): Promise<string[][]> {
  const calls = lines.map((words) => {
    const name = words[0] === "server" ? "_lengthwise_server" : "_lengthwise_client";
    return `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${
      words.length - 1
    }; ${name}; printf '%s\\n' "\${COMPREPLY[@]}" ${LAST}`;
  });
  const printed = await shell("bash", (await scriptFor("bash")) + calls.join("\n"));
  const replies: string[][] = [[]];
  for (const line of printed) line === LAST ? replies.push([]) : replies.at(-1)!.push(line);
  return replies.slice(0, -1);
}

const BASH = { name: "bash", probe: ["bash", "--version"] };
const ZSH = { name: "zsh", probe: ["zsh", "--version"] };
const FISH = { name: "fish", probe: ["fish", "--version"] };

await testWith(BASH, "completion bash offers commands, options and their values", async () => {
  const [commands, begun, options, framings, joined, services, shells, nothing, files] =
    await byBash(
      ["client", ""],
      ["client", ":", "1234", "pi"],
      ["client", "ping", "--"],
      ["client", "--framing", "u"],
      ["client", "--framing", "=", "u32"],
      ["server", "--service", ""],
      ["client", "completion", ""],
      ["client", "--token", "x"],
      ["client", "--ca", "deno.j"],
    );
  assertEquals(commands, Object.keys(COMMANDS));
  assertEquals(begun, ["ping"]);
  const wanted = Object.entries(optionsOf(COMMANDS.ping)).flatMap(([name, { short }]) =>
    short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]
  ).filter((word) => word.startsWith("--"));
  assertEquals(options, wanted);
  assertEquals(framings, FRAMING_NAMES.filter((name) => name.startsWith("u")));
  assertEquals(joined, ["u32be", "u32le"]);
  assertEquals(services, [...SERVICE_NAMES]);
  assertEquals(shells, ["bash", "zsh", "fish"]);
  assertEquals(nothing, []);
  assertEquals(files, ["deno.json"]);
});

await testWith(BASH, "completion bash knows every option of both programs", async () => {
  const names = Object.keys(COMMANDS);
  const replies = await byBash(["server", "--"], ...names.map((name) => ["client", name, "--"]));
  const tables = [OPTIONS, ...names.map((name) => optionsOf(COMMANDS[name]))];
  replies.forEach((reply, index) =>
    assertEquals(reply, Object.keys(tables[index]).map((name) => `--${name}`))
  );
});

await testWith(BASH, "completion bash completes under the names that it is given", async () => {
  const script = await scriptFor("bash", "lwc", "lws");
  const [first, second] = await shell("bash", `${script}complete -p lwc lws`);
  assertEquals(first, "complete -F _lengthwise_client lwc");
  assertEquals(second, "complete -F _lengthwise_server lws");
});

await testWith(ZSH, "completion zsh is a script that zsh takes, and offers the same", async () => {
  const script = await scriptFor("zsh");
  await shell("zsh", script, ["-n"]);
  // Outside of its line editor zsh completes nothing, so its own functions only tell what they get.
  const stubs =
    `compdef() { }; compset() { PREFIX=\${PREFIX#*=} }; compadd() { print -l -- "\${@[2,-1]}" }
_describe() { print -l -- "\${(@P)@[-1]%%:*}" }; _files() { print files }
`;
  const offered = async (words: string, prefix: string) =>
    await shell(
      "zsh",
      `${stubs}${script}words=(lengthwise-client ${words} "${prefix}"); CURRENT=$#words; PREFIX='${prefix}'; _lengthwise_client`,
    );
  assertEquals(await offered("", "s"), Object.keys(COMMANDS));
  assertEquals(
    await offered("ping", "--"),
    Object.keys(optionsOf(COMMANDS.ping)).map((name) => `--${name}`),
  );
  assertEquals((await offered("", "--framing=u3")).slice(0, 2), ["u8", "u16be"]);
  assertEquals(await offered("--ca", ""), ["files"]);
});

await testWith(
  FISH,
  "completion fish is a script that fish takes, and offers the same",
  async () => {
    const script = await scriptFor("fish");
    await shell("fish", script, ["-n"]);
    const lines = ["", ":1 ping --por", "--framing u32", "completion "].map((words) =>
      `complete -C 'lengthwise-client ${words}'`
    );
    const services = "complete -C 'lengthwise-server --service e'";
    const printed = (await shell("fish", [script, ...lines, services].join("\n"), ["--no-config"]))
      .map((line) => line.split("\t")[0]);
    const commands = Object.keys(COMMANDS);
    assertEquals(printed.slice(0, commands.length).toSorted(), commands.toSorted());
    assertEquals(
      printed.slice(commands.length).join(" "),
      "--port u32be u32le bash fish zsh echo exec",
    );
  },
);

Deno.test("completion wants a shell that it knows, and names that a command can have", async () => {
  for (
    const [args, words] of [
      [[], /needs a shell: bash, zsh, fish/],
      [["bsh"], /unknown shell "bsh", the nearest is bash/],
      [["bash", "a;b"], /"a;b" cannot be the name of a command/],
      [["bash", "a", "b", "c"], /takes a shell and two names, but got "c"/],
    ] as const
  ) {
    const { code, stderr } = await runHere("client.ts", ["completion", ...args]);
    assertEquals(code, 2);
    assertMatch(stderr, words);
  }
});
