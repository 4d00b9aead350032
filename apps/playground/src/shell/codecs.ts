/** How a value is written in the address. `parse` returns undefined for what it does not know. */
export interface Codec<T> {
  parse(text: string): T | undefined;
  format(value: T): string;
}

export const text: Codec<string> = { parse: (value) => value, format: (value) => value };

/**
 * A number in a range; others are not taken from the address. With a step it is moved to the nearest of min, min + step, ...: what a slider
 * cannot be set to, the page cannot be asked for either (half a sample, an odd number of conjugate pairs).
 */
export function number(min: number, max: number, step?: number): Codec<number> {
  const last = step === undefined ? max : min + step * Math.floor((max - min) / step);
  const onGrid = (value: number): number =>
    step === undefined ? value : Math.min(last, +(min + step * Math.round((value - min) / step)).toPrecision(12));
  return {
    parse: (value) =>
      value.trim() !== "" && Number(value) >= min && Number(value) <= max ? onGrid(Number(value)) : undefined,
    format: (value) => String(+value.toPrecision(8)),
  };
}

/** One of a list of words. */
export function choice<T extends string>(...words: readonly T[]): Codec<T> {
  return { parse: (value) => words.find((word) => word === value), format: (value) => value };
}

/** A list of numbers. */
export const numbers: Codec<readonly number[]> = {
  parse: (value) => {
    const parts = value.split(",");
    const list = parts.map(Number);
    return parts.every((part) => part.trim() !== "") && list.every(Number.isFinite) ? list : undefined;
  },
  format: (list) => list.map((value) => +value.toPrecision(5)).join(","),
};
