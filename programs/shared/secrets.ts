/** Secrets that the programs are told: on the command line, in a file, or in the environment. */

import { withoutLineEnd } from "../../internal/text.ts";
import { readText, variable } from "./given.ts";
import { type ParsedOptions, UsageError } from "./options.ts";

/** The variables that stand for an option. */
const VARIABLES = {
  token: "LENGTHWISE_TOKEN",
  "operator-token": "LENGTHWISE_OPERATOR_TOKEN",
} as const;

/** The options with a secret; each has a second one, `NAME-file`, that names a file with it. */
export type SecretName = keyof typeof VARIABLES;

/** Whether a secret was given, wherever. */
export function hasSecret(options: ParsedOptions, name: SecretName): boolean {
  return [options.text(name), options.text(`${name}-file`), variable(VARIABLES[name])]
    .some((given) => given !== undefined);
}

/**
 * A secret: what the option says, else what is in the file, else what is in the variable. Without the
 * line end that files have.
 *
 * @throws {UsageError} for a secret that is empty or of several lines, and for two options at once.
 * @throws {Error} for a file that cannot be read.
 */
export async function secretFrom(
  options: ParsedOptions,
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
  const value = variable(VARIABLES[name]);
  return value === undefined ? undefined : checked(VARIABLES[name], value);
}

/** The errors name where the secret came from, and do not show it. */
function checked(from: string, text: string): string {
  const secret = withoutLineEnd(text);
  if (secret.trim() === "") throw new UsageError(`${from}: there is nothing in it`);
  if (/[\r\n]/.test(secret)) {
    throw new UsageError(`${from}: it has several lines, and must have one`);
  }
  return secret;
}
