/** Values that any Standard Schema validator has looked at. */

/**
 * What Standard Schema (https://standardschema.dev, version 1) asks of a validator; Zod, Valibot,
 * ArkType and others have it.
 */
export interface StandardSchema<T> {
  /** The validator. */
  readonly "~standard": {
    /** The version of the interface. */
    readonly version: 1;
    /** Whose validator it is. */
    readonly vendor: string;
    /** Looks at a value and gives the typed one, or what is wrong with it. */
    validate(value: unknown): SchemaResult<T> | Promise<SchemaResult<T>>;
    /** Types only; never there at run time. */
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** What a Standard Schema validator answers. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly message: string }> };

/**
 * Has a value looked at, and gives what `use` makes of the valid one: a promise only where the
 * validator gives one.
 *
 * @throws what `refuse` makes of the validator's complaints.
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
