/** `@std/fmt/colors`, from the npm build of the same library. */
import * as std from "deno-std/fmt/colors.js";

type Style = (text: string) => string;
export const setColorEnabled: (value: boolean) => void = std.setColorEnabled;
export const getColorEnabled: () => boolean = std.getColorEnabled;
export const bold: Style = std.bold;
export const dim: Style = std.dim;
export const red: Style = std.red;
export const green: Style = std.green;
export const yellow: Style = std.yellow;
export const cyan: Style = std.cyan;
export const gray: Style = std.gray;
export const stripAnsiCode: Style = std.stripAnsiCode;
