import { assert, assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

async function deno(args: string[], cwd: string | URL): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd, env: { NO_COLOR: "1" } });
  const { code, stdout, stderr } = await command.output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, output);
  return output;
}

Deno.test("the module publishes without tests, benchmarks and std/, and works when imported by name", async () => {
  const output = await deno(["publish", "--dry-run", "--allow-dirty", "--no-check"], ROOT);
  const files = [...output.matchAll(/^\s+(file:\S+) \(/gm)].map(([_, url]) =>
    url.slice(ROOT.href.length)
  );
  assert(files.includes("mod.ts") && files.includes("README.md"));
  const folders = new Set(files.filter((file) => file.includes("/")).map((f) => f.split("/")[0]));
  assertEquals(
    [...folders].toSorted(),
    [
      "backplane",
      "browser",
      "chat",
      "cluster",
      "codec",
      "connect",
      "connection",
      "files",
      "group",
      "hub",
      "internal",
      "listen",
      "metrics",
      "nats",
      "peers",
      "programs",
      "request",
      "session",
      "telemetry",
      "transport",
    ],
  );

  // Of the chat's page only what was made of its sources, and what hands it out.
  assertEquals(
    files.filter((file) => file.startsWith("chat/page/")).toSorted(),
    ["chat/page/digest.ts", "chat/page/page.ts", "chat/page/respond.ts"],
  );

  assertEquals(
    files.filter((file) => file.startsWith("browser/")).toSorted(),
    [
      "browser/page.d.ts",
      "browser/page.js",
      "browser/plain_page.d.ts",
      "browser/plain_page.js",
      "browser/plain_script.ts",
      "browser/script.ts",
    ],
  );

  const directory = await Deno.makeTempDir();
  try {
    // Just these files, found by name, in somebody else's project.
    for (const file of files) {
      await Deno.mkdir(`${directory}/module/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.copyFile(new URL(file, ROOT), `${directory}/module/${file}`);
    }
    await Deno.remove(`${directory}/module/deno.json`);
    const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    const exports: Record<string, string> = config.exports;
    const imports: Record<string, string> = { "deno-std/": "npm:/deno-std@1.4.0/" };
    // Publishing writes these into the files.
    for (const [name, specifier] of Object.entries<string>(config.imports)) {
      if (!specifier.startsWith("npm:")) continue;
      imports[name] = specifier;
      imports[`${name}/`] = `${specifier.replace("npm:", "npm:/")}/`;
    }
    for (const [name, file] of Object.entries(exports)) {
      imports[`@lengthwise/lengthwise${name.slice(1)}`] = `./module/${file.slice(2)}`;
    }
    for await (const { name } of Deno.readDir(new URL("std/", ROOT))) {
      const std = new URL(`std/${name}/`, ROOT);
      const member = JSON.parse(await Deno.readTextFile(new URL("deno.json", std)));
      for (const [entry, file] of Object.entries(member.exports)) {
        imports[`@std/${name}${entry.slice(1)}`] = new URL(file as string, std).href;
      }
    }
    await Deno.writeTextFile(`${directory}/deno.json`, JSON.stringify({ imports }));
    const entries = Object.keys(exports).map((name) => `@lengthwise/lengthwise${name.slice(1)}`);
    await Deno.writeTextFile(
      `${directory}/main.ts`,
      entries.map((name, i) => `import * as m${i} from "${name}";`).join("\n") + `
        import { connect, listen, text } from "@lengthwise/lengthwise";
        await using server = await listen("tcp://127.0.0.1:0", async (connection) => {
          for await (const message of connection) await connection.send(message);
        });
        await using connection = await connect(server.endpoints[0], { format: text() });
        await connection.send("by name");
        console.log(await connection.receive(), [${entries.map((_, i) => `m${i}`)}].length);`,
    );
    const result = await deno(["run", "--allow-net", "--no-lock", "main.ts"], directory);
    assertMatch(result, new RegExp(`^by name ${entries.length}$`, "m"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
