/**
 * Makes one script of the page's modules, to stand inside the page: without types, and without
 * imports and exports, since all of them then share one scope. Their comments and their layout stay,
 * so that whoever looks at the page's source can read it; and nothing has to be downloaded for it.
 *
 * @module
 */

import { stripTypeScriptTypes } from "node:module";
import { build, WHOLE } from "../../browser/generate.ts";

/** The module of what the page uses of the library. */
const LIBRARY = "library.ts";

/** A module as it stands in the script. */
interface Part {
  readonly name: string;
  readonly code: string;
  readonly imports: readonly URL[];
}

/** The script of a module and of all that it imports, in the order in which they run. */
export async function scriptOf(main: URL): Promise<string> {
  const parts = new Map<string, Part>();
  await collect(main, parts);
  checkNames([...parts.values()]);
  const own = [...parts.values()].filter(({ name }) => name !== LIBRARY);
  const code = await format(own.map(({ name, code }) => `// ${name}\n\n${code}`).join("\n"));
  return (parts.get(new URL(LIBRARY, main).href)?.code ?? "") + code;
}

/** Adds a module after those that it imports. */
async function collect(url: URL, parts: Map<string, Part>, path: readonly string[] = []) {
  if (parts.has(url.href)) return;
  if (path.includes(url.href)) {
    throw new TypeError(`Cannot join ${nameOf(url)}: it imports itself, by way of others`);
  }
  const part = nameOf(url) === LIBRARY
    ? await libraryPart(url)
    : partOf(nameOf(url), await Deno.readTextFile(url), url);
  for (const imported of part.imports) await collect(imported, parts, [...path, url.href]);
  parts.set(url.href, part);
}

/** The library as one part, made small, with names of its own for all but what the page uses. */
async function libraryPart(entry: URL): Promise<Part> {
  const { script } = await build({ ...WHOLE, entry });
  const found = /^(.*)export\{([^}]*)\};?\n\/\/# sourceMappingURL=.*\n$/s.exec(script);
  if (found === null) {
    throw new TypeError(`Cannot join ${LIBRARY}: it does not end with its exports`);
  }
  const names = found[2].split(",").map((text) => text.split(" as "));
  const used = names.map(([_, name]) => name).join(", ");
  const given = names.map(([inner, name]) => `${name}: ${inner}`).join(", ");
  const code = `// ${LIBRARY}\n\nconst { ${used} } = (() => {\n${
    found[1]
  }\nreturn { ${given} };\n})();\n\n`;
  return { name: LIBRARY, code, imports: [] };
}

/** A module without its types, imports and exports. */
export function partOf(name: string, source: string, base: URL | string): Part {
  const imports: URL[] = [];
  const code = stripTypeScriptTypes(source)
    // Comments of the module, and of what was a type: nothing follows them.
    .replace(/^ *\/\*\*(?:[^*]|\*(?!\/))*\*\/\n(?= *\n)/gm, "")
    .replace(/^import \{([^}]*)\} from "(\.\/[^"]+)";\n/gm, (statement, names, specifier) => {
      // There is one scope, so a thing has one name.
      if (/\bas\b/.test(names)) return statement;
      imports.push(new URL(specifier, base));
      return "";
    })
    .replace(/^export (?=(?:async )?function\b|const\b|class\b)/gm, "");
  const left = /^(?:import|export)\b.*$/m.exec(code)?.[0];
  if (left !== undefined) throw new TypeError(`Cannot join ${name}: it has "${left.trim()}"`);
  return { name, code, imports };
}

/** Refuses two things of one name, which would be one thing in one scope. */
export function checkNames(parts: readonly Pick<Part, "name" | "code">[]): void {
  const owners = new Map<string, string>();
  for (const { name, code } of parts) {
    const declared = code.matchAll(/^(?:async )?(?:function\*?|const|let|var|class) ([\w$]+|\W)/gm);
    for (const [, what] of declared) {
      const owner = owners.get(what);
      if (owner !== undefined) {
        throw new TypeError(`Cannot join ${name} and ${owner}: both declare ${what}`);
      }
      owners.set(what, name);
    }
  }
}

function nameOf(url: URL): string {
  return url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
}

/** Puts in order what the types left behind. */
async function format(code: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--line-width=100", "--ext=js", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (!success) throw new SyntaxError(`Cannot format the page's script: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
