import type { JsonObject, JsonValue } from "@statespace/files";

/** A config's value as JSON: infinity as transformers writes it, `undefined` left out. */
export function encodeJson(value: unknown): JsonValue {
  if (value === Number.POSITIVE_INFINITY) return { __float__: "Infinity" };
  if (value === Number.NEGATIVE_INFINITY) return { __float__: "-Infinity" };
  if (Array.isArray(value)) return value.map(encodeJson);
  if (typeof value !== "object" || value === null) return value as JsonValue;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, encodeJson(item)]),
  ) as JsonObject;
}
