import { ArgumentError } from "../errors.ts";
import { nearestName } from "./nearestName.ts";

/**
 * Names of an object of options that are not known are refused, with the one that may be meant: an option that is ignored is worse than none.
 * @param what whose options they are, for the message
 * @param otherNames what others call them, in camel case
 * @throws ArgumentError
 */
export function refuseUnknown(
  what: string,
  options: object,
  known: readonly string[],
  otherNames: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new ArgumentError(`${what}: options must be an object { ${known.join(", ")} }, got ${shown(options)}`);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const camel = name.replace(/[_-](\w)/g, (_, letter: string) => letter.toUpperCase());
    const same = [camel, otherNames[camel]].find((guess) => guess !== undefined && known.includes(guess));
    const meant = same ?? nearestName(camel, known);
    throw new ArgumentError(
      `${what}: has no option ${name}${meant !== undefined ? `; ${meant} may be meant` : known.length > 0 ? `; it has ${known.join(", ")}` : ""}`,
    );
  }
}

function shown(value: unknown): string {
  return typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
