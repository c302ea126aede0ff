/** Checks values by any Standard Schema validator. */

/**
 * The interface of a Standard Schema validator (https://standardschema.dev, version 1). The validators
 * of Zod, Valibot, ArkType and others have it.
 */
export interface StandardSchema<T> {
  /** The validator. */
  readonly "~standard": {
    /** The version of the interface. */
    readonly version: 1;
    /** The name of the library that made the validator. */
    readonly vendor: string;
    /** Checks a value. Gives the typed value, or the issues that were found. */
    validate(value: unknown): SchemaResult<T> | Promise<SchemaResult<T>>;
    /** For the type checker only; undefined at run time. */
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** The result of a Standard Schema validator. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly message: string }> };

/**
 * Checks a value, and returns what `use` makes of the valid value. Returns a promise only if the
 * validator returns one.
 *
 * @throws the error that `refuse` makes of the validator's issues.
 */
export function checkedBy<T, Result>(
  schema: StandardSchema<T>,
  value: unknown,
  refuse: (issues: string) => Error,
  use: (valid: T) => Result,
): Result | Promise<Awaited<Result>> {
  const accept = (result: SchemaResult<T>): Result => {
    if (result.issues === undefined) return use(result.value);
    throw refuse(result.issues.map(({ message }) => message).join("; "));
  };
  const result = schema["~standard"].validate(value);
  return result instanceof Promise
    ? result.then(accept) as Promise<Awaited<Result>>
    : accept(result);
}
