/** A page is always the client of a session. */

export { Greeting as ServerGreeting } from "../../session/greeting.ts";
