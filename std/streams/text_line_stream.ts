/** `@std/streams/text-line-stream`, from the npm build of the same library. */
import { TextLineStream as TextLineStream_ } from "deno-std/streams/text_line_stream.js";

export const TextLineStream: new (options?: { allowCR?: boolean }) => TransformStream<
  string,
  string
> = TextLineStream_;
