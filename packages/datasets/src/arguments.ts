import { ArgumentError } from "@statespace/core";

/** Checks a count. Errors: `ArgumentError` unless `value` is a whole number within `[min, max]`. */
export function requireInteger(
  where: string,
  name: string,
  value: number,
  min: number,
  max: number = 2 ** 31 - 1,
): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new ArgumentError(`${where}: ${name} must be an integer in [${min}, ${max}], got ${value}`);
  }
}

/** Checks a real setting. Errors: `ArgumentError` unless `value` is finite and within `[min, max]`. */
export function requireNumber(where: string, name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max) || !Number.isFinite(value)) {
    throw new ArgumentError(`${where}: ${name} must be a finite number in [${min}, ${max}], got ${value}`);
  }
}
