import { Admission, type AdmissionLimits } from "../../listen/admission.ts";

/** An admission with a clock that is set by hand, and wide limits. */
export function clocked(
  limits: Partial<AdmissionLimits>,
): { clock: { time: number }; admission: Admission } {
  const clock = { time: 0 };
  const wide = { maxConnections: 1e9, maxConnectionsPerAddress: 1e9 };
  return { clock, admission: new Admission({ ...wide, ...limits }, () => clock.time) };
}

/** How many of one address come in now. */
export function comeIn(admission: Admission, hostname: string): number {
  let count = 0;
  while (admission.enter(hostname) === undefined) count++;
  return count;
}
