import type { Model } from "../../model/model.ts";
import type { PublishedTensor, ValueForm } from "../weightNames.ts";

/** How a file has a tensor: another shape, order of rows or values than ours. */
export type Form = (target: PublishedTensor, model: Model) => PublishedTensor;

/** `[d, 1, k] -> [d, k]` */
export const squeezed: Form = (target) => ({ ...target, shape: target.shape.filter((size) => size !== 1) });

/** `[h] -> [h, 1]` */
export const column: Form = (target) => ({ ...target, shape: [...target.shape, 1] });

/** What each element is in the file, and back. */
export function elementwise(toFile: (x: number) => number, fromFile: (x: number) => number): Form {
  const change = (f: (x: number) => number) => (values: Float32Array) => {
    for (let i = 0; i < values.length; i++) values[i] = f(values[i]!);
  };
  return (target) => ({ ...target, form: { toFile: change(toFile), fromFile: change(fromFile) } });
}

/** A = -exp(A_log), where ours is A_log. */
export const decay: Form = elementwise(
  (x) => -Math.exp(x),
  (x) => Math.log(-x),
);

/** A norm's weight, of which ours is the distance from 1. */
export const aroundOne: Form = elementwise(
  (x) => x + 1,
  (x) => x - 1,
);

/** Rows of the file in another order: row `i` of it is row `order(n)[i]` of what would be there without. */
export function reordered(target: PublishedTensor, order: (rows: number) => readonly number[]): PublishedTensor {
  const all = target.rows.flatMap(([from, count]) => Array.from({ length: count }, (_, i) => from + i));
  const rows: [number, number][] = [];
  for (const i of order(all.length)) {
    const row = all[i]!;
    const last = rows.at(-1);
    if (last !== undefined && last[0] + last[1] === row) last[1]++;
    else rows.push([row, 1]);
  }
  return { ...target, rows };
}

/** What follows one form by another on values. */
export function alsoValues(target: PublishedTensor, form: ValueForm): PublishedTensor {
  const before = target.form;
  if (before === undefined) return { ...target, form };
  return {
    ...target,
    form: {
      toFile(values, place) {
        before.toFile(values, place);
        form.toFile(values, place);
      },
      fromFile(values, place) {
        form.fromFile(values, place);
        before.fromFile(values, place);
      },
    },
  };
}

/** The layer of a tensor of the file, `blk.3.ssm_a`. */
export function layerOf(target: PublishedTensor): number {
  return Number(/^blk\.(\d+)\./.exec(target.key)![1]);
}
