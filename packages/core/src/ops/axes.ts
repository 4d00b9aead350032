import { ShapeError } from "../errors.ts";

/** Axes counted from the end when negative, ascending; all where none are given. @throws ShapeError out of range or twice. */
export function normalAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  const given =
    axes === undefined ? Array.from({ length: rank }, (_, i) => i) : typeof axes === "number" ? [axes] : axes;
  const out = given.map((axis) => {
    const at = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(at) || at < 0 || at >= rank)
      throw new ShapeError(`${op}: axis ${axis} is not an axis of a tensor of rank ${rank}`);
    return at;
  });
  if (new Set(out).size !== out.length) throw new ShapeError(`${op}: axes must differ, got [${given.join(", ")}]`);
  return out.sort((a, b) => a - b);
}

/** A shape as an error shows it. */
export function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** True where two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}
