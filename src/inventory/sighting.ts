import type { Problem } from '../decode/problem.js';

/** A machine that was seen on the network. */
export interface Sighting {
  /** Lower case with colons. */
  readonly mac: string;
  /** IPv4 address that it was given. */
  readonly ip?: string;
  /** The address is kept for it: so it says which node it is, as a name does. A lease is merely lent. */
  readonly fixed?: true;
  /** Name that it told, or that the file has for it; without a domain. */
  readonly hostname?: string;
  /** Line of the file. */
  readonly line: number;
}

/** Machines that a file tells of, in the order in which they were switched on as far as it can be told. */
export interface Sightings {
  readonly sightings: readonly Sighting[];
  /** Lines that were passed over. */
  readonly problems: readonly Problem[];
}
