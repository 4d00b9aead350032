import { ArgumentError } from "../errors.ts";
import { nearestName } from "./nearestName.ts";

/**
 * Names of an object of options that are not known are refused, with the one that may be meant: an option that is ignored is worse than none.
 * @param what whose options they are, for the message
 * @throws ArgumentError
 */
export function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearestName(name, known);
    throw new ArgumentError(
      `${what}: has no option ${name}${meant === undefined ? `; it has ${known.join(", ")}` : `; ${meant} may be meant`}`,
    );
  }
}
