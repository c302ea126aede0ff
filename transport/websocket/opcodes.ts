/** The bits of a WebSocket frame's first two bytes (RFC 6455, section 5.2). */

/** In the first byte: this is the last or only fragment. */
export const FINAL = 0x80;
/** In the first byte: bits that only extensions may set. */
export const RESERVED = 0x70;
/** In the first byte of a message: it is compressed (RFC 7692, section 6). One of the reserved bits. */
export const COMPRESSED = 0x40;
/** In the first byte: the kind of the frame. */
export const OPCODE = 0x0f;
/** In the opcode: this is a control frame. */
export const CONTROL = 0x08;
/** In the second byte: the frame is masked, and its key follows. */
export const MASKED = 0x80;

/** Continues a fragmented message. */
export const CONTINUATION = 0;
/** Starts a message of UTF-8. */
export const TEXT = 1;
/** Starts a message of bytes. */
export const BINARY = 2;
/** Tells that nothing more follows. */
export const CLOSE = 8;
/** Asks for a pong. */
export const PING = 9;
/** Answers a ping. */
export const PONG = 10;
