/** Options with their defaults. */

/**
 * The options that `defaults` names, each as it is given, or else its default. Each is checked.
 *
 * @throws what `check` throws.
 */
export function withDefaults<Defaults extends Readonly<Record<string, number>>>(
  defaults: Defaults,
  given: { readonly [Name in keyof Defaults]?: number },
  check: (name: string, value: number) => void,
): Record<keyof Defaults, number> {
  const options: Record<keyof Defaults, number> = { ...defaults };
  for (const name in defaults) {
    options[name] = given[name] ?? defaults[name];
    check(name, options[name]);
  }
  return options;
}
