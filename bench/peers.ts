/** The npm packages that Lengthwise is measured against, kept outside of the repository. */

/** Pinned, so that figures of two runs can be compared. */
const VERSIONS: Record<string, string> = {
  "@nats-io/transport-node": "3.4.0",
  "@socket.io/redis-streams-adapter": "0.3.1",
  "it-length-prefixed": "11.0.1",
  "length-prefixed-stream": "2.0.0",
  "redis": "6.3.1",
  "socket.io": "4.8.4",
  "socket.io-client": "4.8.4",
  "ws": "8.23.0",
};

/** What there is to compare with. */
export interface Peers {
  /** Why the columns that need only node are empty, if they are. */
  readonly noNode?: string;
  /** Why the columns that need packages are empty, if they are. */
  readonly noPackages?: string;
  /** What Node is called, where there is one. */
  readonly node?: string;
  /** Where the packages are. */
  readonly directory: string;
}

/** Installs what is missing. Never throws: what cannot be had is told. */
export async function installPeers(): Promise<Peers> {
  const directory = cacheDirectory();
  const node = await nodeVersion();
  if (node === undefined) return { noNode: "no node", noPackages: "no node", directory };
  try {
    if (!await isInstalled(directory)) await install(directory);
    return { node, directory };
  } catch (error) {
    console.error(`Cannot install npm peers: ${error instanceof Error ? error.message : error}`);
    return { node, noPackages: "no npm", directory };
  }
}

/** Where there is no Node, Deno runs itself under that name: that is not what is asked for. */
async function nodeVersion(): Promise<string | undefined> {
  const script = "console.log(process.versions.deno ? '' : process.version)";
  try {
    const { stdout } = await new Deno.Command("node", { args: ["-e", script] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    return version === "" ? undefined : `Node ${version}`;
  } catch {
    return undefined;
  }
}

function cacheDirectory(): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/lengthwise-bench`;
}

async function isInstalled(directory: string): Promise<boolean> {
  try {
    for (const [name, version] of Object.entries(VERSIONS)) {
      const file = await Deno.readTextFile(`${directory}/node_modules/${name}/package.json`);
      if (JSON.parse(file).version !== version) return false;
    }
    return true;
  } catch {
    return false;
  }
}

async function install(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(
    `${directory}/package.json`,
    JSON.stringify({ private: true, dependencies: VERSIONS }),
  );
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { success, stderr } = await new Deno.Command(npm, {
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    cwd: directory,
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}
