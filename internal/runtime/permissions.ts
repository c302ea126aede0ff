/** Permissions, which only Deno asks for in the middle of a run. Elsewhere all are granted. */

const permissions = (globalThis as { Deno?: { permissions: typeof Deno.permissions } }).Deno
  ?.permissions;

/** Whether a permission is granted already, so that nobody is asked. */
export function isGranted(...wanted: readonly Deno.PermissionDescriptor[]): boolean {
  return permissions === undefined ||
    wanted.every((one) => permissions.querySync(one).state === "granted");
}
