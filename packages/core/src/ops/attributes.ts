import { ArgumentError, ShapeError } from "../errors.ts";
import type { OpDeclaration } from "./declaration.ts";

/** An op's attributes with the defaults of those not given. @throws ArgumentError for one that it does not have, or of another kind */
export function withDefaults(spec: OpDeclaration, attrs: object | undefined): Record<string, unknown> {
  const { name, attrs: defaults } = spec;
  if (attrs === undefined) return defaults;
  const all: Record<string, unknown> = { ...defaults };
  for (const attribute in attrs) {
    const value = (attrs as Readonly<Record<string, unknown>>)[attribute];
    if (!(attribute in defaults))
      throw new ArgumentError(
        `${name}: has no attribute ${attribute} (it has ${Object.keys(defaults).join(", ") || "none"})`,
      );
    if (value === undefined) continue;
    if (typeof value !== typeof defaults[attribute])
      throw new ArgumentError(
        `${name}: ${attribute} must be a ${kindOf(defaults[attribute])}, got ${typeof value === "string" ? `"${value}"` : String(value)}`,
      );
    all[attribute] = value;
  }
  for (const attribute of spec.whole ?? []) checkWhole(name, attribute, all[attribute]);
  return all;
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "list" : typeof value;
}

/** @throws ShapeError unless a size, an axis or every one of a list of them is a whole number */
export function checkWhole(op: string, argument: string, value: unknown): void {
  if (Array.isArray(value)) for (const part of value) checkWhole(op, argument, part);
  else if (!Number.isSafeInteger(value)) throw new ShapeError(`${op}: ${argument} must be whole, got ${String(value)}`);
}
