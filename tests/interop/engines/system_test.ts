import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../client.ts";
import { journalExport, sshAgent } from "../../../codec.ts";
import { decodeAll, encodeAll, texts } from "../../support/bytes.ts";
import { be, concat, hex, latin1, le, utf8 } from "./bytes.ts";
import { engine, run, RunningEngine, temporaryFolder, testWith } from "./engine.ts";
import { ask, ended } from "./talk.ts";

const SSH_AGENT = engine("ssh-agent", { commands: ["ssh-agent", "ssh-keygen", "ssh-add"] });
const JOURNAL = engine("systemd's journal", {
  commands: ["journalctl"],
  files: ["/lib/systemd/systemd-journal-remote"],
});

await testWith(
  SSH_AGENT,
  "sshAgent() asks ssh-agent for its keys, and meets its limit",
  async () => {
    await using folder = await temporaryFolder();
    const [socket, key] = [`${folder.path}/socket`, `${folder.path}/key`];
    await using _agent = await RunningEngine.start(["ssh-agent", "-D", "-a", socket], {
      ready: "export SSH_AUTH_SOCK;",
    });
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lengthwise", "-f", key]);
    const env = { SSH_AUTH_SOCK: socket };
    await run(["ssh-add", "-q", key], { env });

    const endpoint = `unix:${socket}`;
    const [requestIdentities, identities] = [11, 12];
    await using connection = await connect(endpoint, { framing: sshAgent() });
    const answer = await ask(connection, Uint8Array.of(requestIdentities));
    assertEquals(answer.subarray(0, 5), concat([Uint8Array.of(identities), be(1)]));
    assertMatch(latin1(answer), /ssh-ed25519.*lengthwise$/s);

    // What stands behind a request is not looked at.
    const { maxMessageBytes } = sshAgent();
    const longest = new Uint8Array(maxMessageBytes);
    longest[0] = requestIdentities;
    assertEquals(await ask(connection, longest), answer);

    // It looks at a length when a fifth byte has come, and closes if it is too large, or 0.
    for (const length of [maxMessageBytes + 1, 0]) {
      await using refused = await connect(endpoint, { framing: "none" });
      await refused.send(be(length));
      await refused.send(hex("0b"));
      assertEquals(await ended(refused), new Uint8Array(0));
    }
  },
);

await testWith(JOURNAL, "journalExport() writes and reads systemd's journal", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/test.journal`;
  const entry = (message: Uint8Array, number: number) =>
    concat([
      ...[utf8(`__REALTIME_TIMESTAMP=170000000000000${number}\nPRIORITY=6\n`)],
      ...[utf8("MESSAGE\n"), le(message.length, 8), message, utf8("\n")],
    ]);
  const messages = [utf8("hello"), utf8("two\n\nlines"), hex("00ff0a0a41")];
  const entries = messages.map(entry);
  const remote = "/lib/systemd/systemd-journal-remote";
  await run([remote, "-o", file, "-"], { input: encodeAll(journalExport(), entries) });

  const exported = await run(["journalctl", `--file=${file}`, "-o", "export", "--all"]);
  const back = decodeAll(journalExport(), [exported]);
  assertEquals(back.length, 3);
  assertMatch(texts(back)[0], /^MESSAGE=hello$/m);
  for (const [i, message] of messages.entries()) {
    if (i === 0) continue; // journalctl writes what is text in one line.
    const field = concat([utf8("MESSAGE\n"), le(message.length, 8), message, utf8("\n")]);
    assertEquals(latin1(back[i]).includes(latin1(field)), true);
  }
});
