import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Engine, testWith } from "../interop/peers.ts";
import { ServerHere } from "../support/in_process.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

/** The code blocks of a language, in order. */
function blocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm");
  return [...README.matchAll(pattern)].map(([_, code]) => code);
}

interface Snippet extends Engine {
  readonly language: string;
  readonly file: string;
  /** Commands that build and run the file, in its folder. */
  readonly commands: readonly string[][];
  /** What it prints after its own message. */
  readonly last?: string;
}

const SNIPPETS: readonly Snippet[] = [
  {
    name: "Python",
    probe: ["python3", "--version"],
    language: "python",
    file: "join.py",
    commands: [["python3", "join.py"]],
  },
  {
    name: "Erlang",
    probe: ["sh", "-c", "command -v escript"],
    language: "erlang",
    file: "join.escript",
    commands: [["escript", "join.escript"]],
  },
  {
    name: "C#",
    probe: ["mcs", "--version"],
    language: "csharp",
    file: "Join.cs",
    commands: [["mcs", "Join.cs"], ["mono", "Join.exe"]],
  },
  {
    name: "Java",
    probe: ["javac", "-version"],
    language: "java",
    file: "Join.java",
    commands: [["javac", "Join.java"], ["java", "-cp", ".", "Join"]],
  },
  {
    name: "nc",
    probe: ["sh", "-c", "nc -h 2>&1 | grep -q OpenBSD"],
    language: "sh",
    file: "join.sh",
    commands: [["sh", "join.sh"]],
    last: "* Bye.\n",
  },
  {
    name: "nc",
    probe: ["ncat", "--version"],
    language: "sh",
    file: "join.sh",
    commands: [["sh", "-c", 'nc() { ncat "$@"; }; . ./join.sh']],
    last: "* Bye.\n",
  },
];

for (const snippet of SNIPPETS) {
  const { name, last = "" } = snippet;
  const what = `README.md's ${name} snippet joins the chat, by ${snippet.probe[0]}`;
  await testWith(snippet, what, async () => {
    const code = blocks(snippet.language).findLast((block) => block.includes("hello from"));
    assert(code !== undefined);
    await using server = await ServerHere.start(
      ["127.0.0.1:0", "127.0.0.1:0?framing=line", "127.0.0.1:0?framing=u32le"],
      { count: 3 },
    );
    const directory = await Deno.makeTempDir();
    try {
      const ported = code.replaceAll("1234", `${server.port(0)}`)
        .replaceAll("2323", `${server.port(1)}`).replaceAll("9000", `${server.port(2)}`);
      await Deno.writeTextFile(`${directory}/${snippet.file}`, ported);
      let output = "";
      for (const command of snippet.commands) output = await runIn(directory, command);
      assertMatch(output, /^\* Welcome, guest-1\. .*\n/);
      assertEquals(output.split("\n").slice(1).join("\n"), `guest-1: hello from ${name}\n${last}`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

async function runIn(cwd: string, [command, ...args]: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("README.md's server and client run as they stand", async () => {
  const [server, client] = blocks("ts");
  const directory = await Deno.makeTempDir({ dir: new URL("../", import.meta.url).pathname });
  try {
    // The port is the only thing changed, so that the test can run beside anything.
    await Deno.writeTextFile(`${directory}/echo_server.ts`, server.replace("7000", "0"));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", `${directory}/echo_server.ts`],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const line = new TextDecoder().decode((await reader.read()).value);
    const port = /^listening on tcp:\/\/127\.0\.0\.1:(\d+)\?framing=u32be\n$/.exec(line)?.[1];
    assert(port !== undefined, line);
    await Deno.writeTextFile(`${directory}/echo_client.ts`, client.replace("7000", port));
    const args = ["run", "--allow-net", `${directory}/echo_client.ts`];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    assertEquals(new TextDecoder().decode(stdout), "hello\n");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
