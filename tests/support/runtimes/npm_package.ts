/**
 * Makes of this package what JSR makes of it for npm: of each file that is published its JavaScript and its
 * declarations, whose imports lead to `.js` and `.d.ts` files and to npm's names of packages. And of `@std`
 * what stands for it here, under the names that JSR has for it.
 *
 * Usage: npm_package.ts FOLDER: prints as JSON which package is in which `.tgz` file.
 */

import { assert } from "@std/assert";
import { dirname, join, relative } from "node:path/posix";
// deno-lint-ignore no-import-prefix
import ts from "npm:typescript@5.9.3";

/** A package to be made: where it is, what it exports, its files, and where bare imports lead. */
interface Source {
  readonly root: string;
  readonly config: {
    readonly name: string;
    readonly version: string;
    readonly exports: Record<string, string>;
    readonly imports: Record<string, string>;
  };
  readonly files: readonly string[];
}

const ROOT = new URL("../../../", import.meta.url).pathname;
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

async function printed(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, errors);
  return out + errors;
}

async function configOf(root: string): Promise<Source["config"]> {
  return JSON.parse(await Deno.readTextFile(`${root}deno.json`));
}

/** The name that a package has at npm, and what follows it. */
function npmName(target: string): { name: string; range: string; rest: string } {
  const [, registry, name, range = "*", rest] =
    /^(jsr|npm):\/?(@[^/]+\/[^@/]+|[^@/]+)(?:@([^/]+))?(.*)$/.exec(target)!;
  return { name: registry === "jsr" ? jsrName(name) : name, range, rest };
}

/** `@std/async` is `@jsr/std__async` there. */
function jsrName(name: string): string {
  return `@jsr/${name.slice(1).replace("/", "__")}`;
}

/** Transpiles the files of a package, and collects what they depend on. */
class Transpiler {
  readonly dependencies: Record<string, string> = {};
  /** The files whose types are exported, and those to which their declarations lead. */
  readonly declared: Set<string>;

  constructor(readonly source: Source) {
    const paths = Object.values(source.config.exports).map((path) => path.slice(2));
    this.declared = new Set(paths.filter((path) => path.endsWith(".ts")));
  }

  /** The JavaScript of a file. */
  script(path: string, text: string): string {
    const before = rewriter<ts.SourceFile>((specifier) =>
      specifier.startsWith(".") ? specifier.replace(/\.ts$/, ".js") : this.#bare(specifier)
    );
    const options = { compilerOptions: OPTIONS, fileName: path };
    return ts.transpileModule(text, { ...options, transformers: { before: [before] } }).outputText;
  }

  /** The declarations of a file. */
  declarations(path: string, text: string): string {
    const after = rewriter<ts.SourceFile | ts.Bundle>((specifier) => {
      if (!specifier.startsWith(".")) return this.#bare(specifier);
      this.declared.add(join(dirname(path), specifier));
      return specifier.replace(/\.ts$/, ".d.ts");
    });
    const options = { compilerOptions: OPTIONS, fileName: path };
    // What only other files of the package use need not have types that stand by themselves: JSR leaves it
    // out. For everything else, `deno publish` sees to that.
    return ts.transpileDeclaration(text, {
      ...options,
      transformers: { afterDeclarations: [after] },
    })
      .outputText;
  }

  /** Declarations that are written by hand. They stay where they are, beside their JavaScript. */
  ownDeclarations(path: string, text: string): string {
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext);
    const before = rewriter<ts.SourceFile>((specifier) => {
      if (!specifier.endsWith(".ts")) return specifier;
      const target = join(dirname(path), specifier);
      this.declared.add(target);
      return relative(dirname(path), `_dist/${target}`).replace(/\.ts$/, ".js");
    });
    const { transformed: [result] } = ts.transform(file, [before]);
    return ts.createPrinter().printFile(result);
  }

  /** Where an import leads that names a package. */
  #bare(specifier: string): string {
    if (specifier.startsWith("node:")) return specifier;
    const { imports } = this.source.config;
    const key = Object.keys(imports).find((key) =>
      specifier === key || specifier.startsWith(key.endsWith("/") ? key : `${key}/`)
    );
    const target = key === undefined ? specifier : imports[key] + specifier.slice(key.length);
    const { name, range, rest } = npmName(target);
    this.dependencies[name] = range;
    return name + rest;
  }
}

/** Rewrites all imports of a file. */
function rewriter<T extends ts.Node>(rewritten: (specifier: string) => string) {
  return (context: ts.TransformationContext): ts.Transformer<T> => {
    const visitor = (parent: ts.Node) => (node: ts.Node): ts.Node => {
      if (ts.isStringLiteral(node) && leads(parent)) {
        return context.factory.createStringLiteral(rewritten(node.text));
      }
      const isArgument = ts.isImportTypeNode(parent) && parent.argument === node;
      return ts.visitEachChild(node, visitor(isArgument ? parent : node), context);
    };
    return (file) => ts.visitEachChild(file, visitor(file), context);
  };
}

/** Whether a text in such a place says from where something is imported. */
function leads(place: ts.Node): boolean {
  return ts.isImportDeclaration(place) || ts.isExportDeclaration(place) ||
    ts.isImportTypeNode(place) ||
    ts.isCallExpression(place) && place.expression.kind === ts.SyntaxKind.ImportKeyword;
}

/** Makes the package in a folder: its name, the path of its archive, and what it depends on. */
async function make(source: Source, folder: string) {
  const { root, files, config } = source;
  const name = jsrName(config.name);
  const target = `${folder}/${name.replace("/", "-")}`;
  const transpiler = new Transpiler(source);
  const write = async (path: string, text: string) => {
    await Deno.mkdir(dirname(`${target}/package/${path}`), { recursive: true });
    await Deno.writeTextFile(`${target}/package/${path}`, text);
  };
  for (const path of files) {
    const text = await Deno.readTextFile(root + path);
    if (!path.endsWith(".ts")) await write(path, text);
    else if (path.endsWith(".d.ts")) await write(path, transpiler.ownDeclarations(path, text));
    else await write(path.replace(/\.ts$/, ".js"), transpiler.script(path, text));
  }
  // It grows while it is read.
  for (const path of transpiler.declared) {
    const text = await Deno.readTextFile(root + path);
    const declarations = transpiler.declarations(path, text);
    await write(`_dist/${path.replace(/\.ts$/, ".d.ts")}`, declarations);
  }
  // Of a module in JavaScript, the declarations lie beside it, as it says itself.
  const exports = Object.entries(config.exports).map(([key, path]) => [key, {
    types: path.replace(/^\.\/(.*)\.ts$/, "./_dist/$1.d.ts").replace(/\.js$/, ".d.ts"),
    default: path.replace(/\.ts$/, ".js"),
  }]);
  const { dependencies } = transpiler;
  const json = { name, version: config.version, type: "module", dependencies };
  await write("package.json", JSON.stringify({ ...json, exports: Object.fromEntries(exports) }));
  const args = ["-czf", `${target}.tgz`, "-C", target, "package"];
  assert((await new Deno.Command("tar", { args }).output()).success);
  return { name, archive: `${target}.tgz`, dependencies };
}

const [folder] = Deno.args;
const said = await printed(["publish", "--dry-run", "--allow-dirty", "--no-check"]);
const files = Array.from(said.matchAll(/file:\/\/(\S+) \(/g), ([, path]) => relative(ROOT, path));
assert(files.includes("mod.ts"), "nothing is published");
const config = await configOf(ROOT);
const { name, archive, dependencies } = await make({ root: ROOT, config, files }, folder);
const archives = { [name]: archive };
for (const name of Object.keys(config.imports)) {
  if (!name.startsWith("@std/") || dependencies[jsrName(name)] === undefined) continue;
  const root = `${ROOT}${name.slice(1)}/`;
  const config = await configOf(root);
  const files = Object.values(config.exports).map((path) => path.slice(2));
  const made = await make({ root, config, files }, folder);
  archives[made.name] = made.archive;
}
console.log(JSON.stringify(archives));
