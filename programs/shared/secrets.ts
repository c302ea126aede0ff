/** Secrets of the programs. They come from the command line, a file, or the environment. */

import { withoutLineEnd } from "../../internal/text.ts";
import { readText } from "./given.ts";
import type { Host } from "./host.ts";
import { type ParsedOptions, UsageError } from "./options.ts";

/** The variable for each option. */
const VARIABLES = {
  token: "LENGTHWISE_TOKEN",
  "operator-token": "LENGTHWISE_OPERATOR_TOKEN",
  "cluster-token": "LENGTHWISE_CLUSTER_TOKEN",
} as const;

/**
 * The options with a secret. Each has a second option, `NAME-file`, that names a file with the
 * secret.
 */
export type SecretName = keyof typeof VARIABLES;

/** Where secrets come from. */
interface Sources {
  readonly options: ParsedOptions;
  readonly host: Host;
}

/** Whether a secret was given in one of these ways. */
export function hasSecret({ options, host }: Sources, name: SecretName): boolean {
  return [options.text(name), options.text(`${name}-file`), host.variable(VARIABLES[name])]
    .some((given) => given !== undefined);
}

/**
 * Reads a secret: from the option, else from the file, else from the variable. The line end of a
 * file is removed.
 *
 * @throws {UsageError} for a secret that is empty or has several lines, and for two options at
 * once.
 * @throws {Error} for a file that cannot be read.
 */
export async function secretFrom(
  { options, host }: Sources,
  name: SecretName,
): Promise<string | undefined> {
  const [text, file] = [options.text(name), options.text(`${name}-file`)];
  if (text !== undefined && file !== undefined) {
    throw new UsageError(`--${name} and --${name}-file: give one of them`);
  }
  if (text !== undefined) return checked(`--${name}`, text);
  if (file !== undefined) {
    return checked(`--${name}-file ${file}`, await readText(`${name}-file`, file));
  }
  const value = host.variable(VARIABLES[name]);
  return value === undefined ? undefined : checked(VARIABLES[name], value);
}

/** The errors say where the secret came from, and do not show it. */
function checked(from: string, text: string): string {
  const secret = withoutLineEnd(text);
  if (secret.trim() === "") throw new UsageError(`${from}: there is nothing in it`);
  if (/[\r\n]/.test(secret)) {
    throw new UsageError(`${from}: it has several lines, and must have one`);
  }
  return secret;
}
