/** The bits of a WebSocket frame's first two bytes (RFC 6455, section 5.2). */

/** Of the first byte: the last or only fragment. */
export const FINAL = 0x80;
/** Of the first byte: what only extensions may set. */
export const RESERVED = 0x70;
/** Of the first byte: what kind of frame it is. */
export const OPCODE = 0x0f;
/** Of the opcode: whether it controls the connection. */
export const CONTROL = 0x08;
/** Of the second byte: whether a key follows. */
export const MASKED = 0x80;

/** Continues a fragmented message. */
export const CONTINUATION = 0;
/** Starts a message of UTF-8. */
export const TEXT = 1;
/** Starts a message of bytes. */
export const BINARY = 2;
/** Says that nothing more follows. */
export const CLOSE = 8;
/** Asks for an answer. */
export const PING = 9;
/** Answers. */
export const PONG = 10;
