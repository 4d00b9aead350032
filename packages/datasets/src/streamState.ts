import { FormatError } from "@statespace/core";
import type { JsonValue } from "./batch.ts";

/** The fields of a saved stream state. Errors: `FormatError` unless it is an object of that `kind`. */
export function stateFields(state: JsonValue, kind: string): Readonly<Record<string, JsonValue>> {
  const fields = state as Readonly<Record<string, JsonValue>> | null;
  if (typeof fields !== "object" || fields === null || Array.isArray(fields) || fields["kind"] !== kind) {
    throw new FormatError(
      `restore: expected the saved state of a "${kind}" stream, got ${JSON.stringify(state)?.slice(0, 80)}`,
    );
  }
  return fields;
}

/** A count out of a saved state. Errors: `FormatError` unless it is an integer in [0, max]. */
export function stateInteger(
  fields: Readonly<Record<string, JsonValue>>,
  name: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) {
    throw new FormatError(`restore: ${name} must be an integer in [0, ${max}], got ${String(value)}`);
  }
  return value;
}
