/** What is in deploy/, as far as it can be tried without an init system and without containers. */

import "jsonc-parser"; // Some of what is started here may download nothing.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { RunningServer } from "../support/program.ts";
import { engine, freePort, RunningEngine, temporaryFolder, testWith } from "./engines/engine.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);

const text = (name: string) => Deno.readTextFile(new URL(name, DEPLOY));

async function output(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  assert(success, `${command} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

const SYSTEMD = engine("systemd-analyze", { commands: ["systemd-analyze"] });

await testWith(SYSTEMD, "deploy/lengthwise.service is good, and exposes little", async () => {
  await using folder = await temporaryFolder();
  const unit = `${folder.path}/lengthwise.service`;
  const here = (await text("lengthwise.service")).replaceAll(
    "/usr/local/bin/deno",
    Deno.execPath(),
  );
  await Deno.writeTextFile(unit, here);
  await output("systemd-analyze", "verify", unit);
  const security = await output(
    "systemd-analyze",
    "security",
    "--offline=true",
    "--no-pager",
    unit,
  );
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(security)!;
  assert(Number(exposure) <= 1.5, `exposure is ${exposure}`);
});

Deno.test("deploy/server.json is taken with the permissions of deploy/lengthwise.service", async () => {
  const [, permissions] = /"DENO_FLAGS=([^"]*)"/.exec(await text("lengthwise.service"))!;
  await using folder = await temporaryFolder();
  const flags = permissions.replaceAll("/etc/lengthwise", new URL(".", DEPLOY).pathname)
    .replaceAll("/var/lib/lengthwise", folder.path).split(" ");
  const config = new URL("server.json", DEPLOY).pathname;
  const own = [":0", "ws://:0", "--metrics", ":0", "--history", `${folder.path}/history.db`];
  await using server = await RunningServer.start(["--config", config, "--drain", "0", ...own], {
    count: 2,
    flags,
  });
  await using connection = await connect(server.endpoints[0]);
  assertMatch(new TextDecoder().decode(await connection.receive()), /^\* Welcome/);
  server.kill("SIGTERM");
  await connection.close();
  assertEquals(await server.ended(), 0);
});

const NATS_UNIT = engine("systemd-analyze and NATS", {
  commands: ["systemd-analyze", "nats-server"],
  files: ["/lib/systemd/system/nats-server.service"],
});

await testWith(
  NATS_UNIT,
  "deploy/cluster: the units of a server and a broker are good",
  async () => {
    await using folder = await temporaryFolder();
    const units = {
      lengthwise: (await text("lengthwise.service")).replaceAll(
        "/usr/local/bin/deno",
        Deno.execPath(),
      ),
      "nats-server": await Deno.readTextFile("/lib/systemd/system/nats-server.service"),
    };
    for (const [name, unit] of Object.entries(units)) {
      const path = `${folder.path}/${name}.service`;
      await Deno.writeTextFile(path, unit);
      await Deno.mkdir(`${path}.d`);
      const more = await text(`cluster/${name}.service.conf`);
      await Deno.writeTextFile(`${path}.d/cluster.conf`, more);
      await output("systemd-analyze", "verify", path);
      // It is read: an option that is unknown is told.
      await Deno.writeTextFile(`${path}.d/cluster.conf`, more.replace("Restart=", "Restrat="));
      const { stderr } = await new Deno.Command("systemd-analyze", { args: ["verify", path] })
        .output();
      assertMatch(new TextDecoder().decode(stderr), /cluster\.conf:\d+: .*Restrat/);
    }
  },
);

await testWith(
  NATS_UNIT,
  "deploy/cluster: a server with its options comes to a broker with its own",
  async () => {
    await using folder = await temporaryFolder();
    const port = freePort();
    const conf = (await text("cluster/nats-server.conf")).replace(
      "0.0.0.0:4222",
      `127.0.0.1:${port}`,
    )
      .replace("/var/lib/nats", `${folder.path}/nats`);
    await Deno.writeTextFile(`${folder.path}/nats.conf`, conf);
    await using _nats = await RunningEngine.start(
      ["nats-server", "-c", `${folder.path}/nats.conf`],
      { ready: "Server is ready", at: [`tcp://127.0.0.1:${port}`], env: { NATS_TOKEN: "secret" } },
    );
    await Deno.writeTextFile(`${folder.path}/cluster-token`, "secret\n");
    const options = (await text("cluster/server.json")).replace(
      "127.0.0.1:4222",
      `127.0.0.1:${port}`,
    )
      .replace("/run/credentials/lengthwise.service", folder.path);
    await Deno.writeTextFile(`${folder.path}/server.json`, options);
    const own = [":0", "ws://:0", "--metrics", ":0", "--drain", "0"];
    await using server = await RunningServer.start(
      ["--config", `${folder.path}/server.json`, ...own],
      { count: 2, flags: ["--allow-net", `--allow-read=${folder.path}`] },
    );
    await using connection = await connect(server.endpoints[0]);
    assertMatch(new TextDecoder().decode(await connection.receive()), /^\* Welcome/);
    server.kill("SIGTERM");
    await connection.close();
    assertEquals(await server.ended(), 0);
  },
);

const LOGROTATE = engine("logrotate", { commands: ["logrotate"] });

await testWith(
  LOGROTATE,
  "logrotate with deploy/lengthwise.logrotate loses no line of the log",
  async () => {
    await using folder = await temporaryFolder();
    const log = `${folder.path}/server.log`;
    await using server = await RunningServer.start(
      [":0", "--service", "echo", "--log-file", log],
      { flags: ["--allow-net", `--allow-write=${log}`] },
    );
    const rules = (await text("lengthwise.logrotate"))
      .replace("/var/log/lengthwise/server.log", log)
      .replace("systemctl reload lengthwise.service", `kill -HUP ${server.pid}`);
    await Deno.writeTextFile(`${folder.path}/rules`, rules);
    const visit = async () => {
      await using connection = await connect(server.endpoints[0]);
      await connection.send("x");
      await connection.receive();
    };
    for (let i = 0; i < 3; i++) {
      await visit();
      await output("logrotate", "-f", "-s", `${folder.path}/state`, `${folder.path}/rules`);
    }
    await visit();
    assertEquals(await server.stop("SIGTERM"), 0);
    const files = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
    const logs = await Promise.all(
      files.filter((name) => name.startsWith("server.log")).map((name) =>
        output("zcat", "-f", `${folder.path}/${name}`)
      ),
    );
    const all = logs.join("");
    assertEquals(all.match(/ connected$/gm)?.length, 4, all);
    assertEquals(all.match(/ closed$/gm)?.length, 4, all);
  },
);

const PROMTOOL = engine("promtool", { commands: ["promtool"] });

await testWith(PROMTOOL, "deploy/prometheus.yml is good", async () => {
  await output("promtool", "check", "config", new URL("prometheus.yml", DEPLOY).pathname);
});

const YAML = engine("python3-yaml", { modules: ["yaml"] });

await testWith(YAML, "deploy/compose.yaml starts the programs that are there", async () => {
  const read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
  const path = new URL("compose.yaml", DEPLOY).pathname;
  const { services } = JSON.parse(await output("/usr/bin/python3", "-c", read, path));
  assertEquals(Object.keys(services), ["chat", "rooms-1", "rooms-2", "nats", "prometheus"]);
  for (
    const { command = [], build, volumes = [] } of Object.values<Record<string, never>>(services)
  ) {
    const files = [command[0], build && "deploy/Dockerfile"].filter(Boolean);
    const mounted = (volumes as string[]).filter((volume) => volume.startsWith("./"))
      .map((volume) => `deploy/${volume.split(":")[0]}`);
    for (const file of [...files, ...mounted]) await Deno.stat(new URL(`../${file}`, DEPLOY));
  }
});

const NATS = engine("NATS", { commands: ["nats-server"] });

await testWith(
  NATS,
  "deploy/rooms_over_nats.ts has one room on several servers, for text and bytes",
  async () => {
    const port = freePort();
    await using folder = await temporaryFolder();
    await using _nats = await RunningEngine.start(
      ["nats-server", "-a", "127.0.0.1", "-p", String(port), "--ports_file_dir", folder.path],
      { ready: "Server is ready", at: [`tcp://127.0.0.1:${port}`] },
    );
    const start = () =>
      RunningServer.start([`127.0.0.1:${port}`, "tcp://127.0.0.1:0", "ws://127.0.0.1:0"], {
        script: "deploy/rooms_over_nats.ts",
        flags: ["--allow-net"],
        count: 2,
      });
    await using first = await start();
    await using second = await start();
    await using here = await connect(first.endpoints[0]);
    await using there = await connect(second.endpoints[1]);
    const decoder = new TextDecoder();
    // Who joins is not told when, so one says it until the other hears it.
    const asking = setInterval(() => void here.send("are you there?"), 20);
    const heard = await there.receive();
    clearInterval(asking);
    assertEquals(decoder.decode(heard), "are you there?");
    await there.send("yes");
    assertEquals(decoder.decode(await here.receive()), "yes");
    await there.send(new Uint8Array([0, 255]));
    assertEquals(await here.receive(), new Uint8Array([0, 255]));
  },
);
