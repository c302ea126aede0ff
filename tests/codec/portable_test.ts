import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Runs a program in the module's root and gives back what it printed. */
async function output(program: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, cwd: ROOT, stdout: "piped", stderr: "piped" });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** The paths of all modules that codec.ts needs, below the root. */
async function codecModules(): Promise<string[]> {
  const graph = JSON.parse(await output(Deno.execPath(), "info", "--json", "codec.ts"));
  return graph.modules.map(({ specifier, error }: { specifier: string; error?: string }) => {
    assertEquals(error, undefined);
    assert(specifier.startsWith(ROOT.href), `${specifier} is not part of this module`);
    return specifier.slice(ROOT.href.length);
  });
}

Deno.test("codec.ts needs only its own folder and the errors, and names no Deno", async () => {
  const modules = await codecModules();
  assert(modules.includes("codec.ts"));
  for (const path of modules) {
    assert(
      /^(codec|errors|internal\/(check|memory|nearest|varint)|codec\/(presets\/)?\w+)\.ts$/.test(
        path,
      ),
      path,
    );
    const source = await Deno.readTextFile(new URL(path, ROOT));
    const code = source.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
    assert(!/\b(Deno|process|Buffer|require|import\.meta)\b/.test(code), path);
  }
});

const NODE = await new Deno.Command("node", { args: ["--version"], stdout: "null", stderr: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test({
  name: "codec.ts runs under Node.js",
  ignore: !NODE, // where there is none, the test above has to be enough
  async fn() {
    const out = await Deno.makeTempDir();
    try {
      const modules = await codecModules();
      await output(Deno.execPath(), "transpile", "--quiet", "--outdir", out, ...modules);
      for (const path of modules) {
        const file = `${out}/${path.replace(/ts$/, "js")}`;
        const code = await Deno.readTextFile(file);
        await Deno.writeTextFile(file, code.replace(/(from "\..*)\.ts"/g, '$1.js"'));
      }
      await Deno.writeTextFile(`${out}/package.json`, '{ "type": "module" }');
      await Deno.writeTextFile(`${out}/main.js`, NODE_PROGRAM);
      assertEquals(
        await output("node", `${out}/main.js`),
        "undefined; u8: HELLO,,hi; u16be: HELLO,,hi; u16le: HELLO,,hi; u24be: HELLO,,hi; " +
          "u32be: HELLO,,hi; u32le: HELLO,,hi; u64be: HELLO,,hi; varint: HELLO,,hi; " +
          "line: HELLO,,hi; none: HELLO,hi; MessageTooLargeError\n",
      );
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});

const NODE_PROGRAM = `
import { DecoderStream, EncoderStream, FRAMING_NAMES, framing } from "./codec.js";

const report = [typeof Deno];
for (const name of FRAMING_NAMES) {
  const messages = ["HELLO", "", "hi"].map((text) => new TextEncoder().encode(text));
  const source = new ReadableStream({
    start(controller) {
      for (const message of messages) controller.enqueue(message);
      controller.close();
    },
  });
  const texts = [];
  const decoded = source
    .pipeThrough(new EncoderStream(framing(name)))
    .pipeThrough(new DecoderStream(framing(name)));
  for await (const message of decoded) texts.push(new TextDecoder().decode(message));
  report.push(name + ": " + texts);
}
try {
  framing("u8").encode(new Uint8Array(300));
} catch (error) {
  report.push(error.name);
}
console.log(report.join("; "));
`;
