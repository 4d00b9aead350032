import { ArgumentError } from "../errors.ts";
import { notedIds, rangeOf, type IdRange } from "../tensor/idRange.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { OpDeclaration } from "./declaration.ts";
import type { BoundDims } from "./shapes.ts";

/** An id of the range that is neither in [0, below) nor the one that stands for none; undefined where there is none, or it is not certain. */
function outside({ greatest, negative }: IdRange, below: number, besides: number | undefined): number | undefined {
  return negative.find((id) => id !== besides) ?? (greatest >= below && greatest !== besides ? greatest : undefined);
}

/**
 * Refuses ids that are out of place. Those that came from JavaScript are known on every backend; others are read where a read does
 * not wait (cpu, wasm without a worker), unless a graph is being captured. Elsewhere the kernels stay inside their memory and
 * yield NaN.
 * @throws ArgumentError naming op, argument, bound and id
 */
export function checkIds(
  spec: OpDeclaration,
  bound: BoundDims,
  attrs: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, Tensor>>,
): void {
  for (const argument in spec.ids) {
    const ids = inputs[argument];
    if (ids === undefined || ids.isDisposed) continue;
    const rule = spec.ids[argument]!;
    const below = rule.below(bound, attrs, inputs);
    const besides = rule.besides?.(attrs);
    const { backend } = ids;
    const range =
      notedIds(ids) ??
      (backend.readsAtOnce && !backend.capturing ? rangeOf(withoutNone(ids.dataSync(), besides)) : undefined);
    const id = range && outside(range, below, besides);
    if (id !== undefined)
      throw new ArgumentError(
        `${spec.name}: ${argument} must be in [0, ${below})${besides === undefined ? "" : `, or ${besides} for none`}, got ${id}`,
      );
  }
}

/** What may stand for none hides no other id that is too large. */
function withoutNone(values: ReturnType<Tensor["dataSync"]>, none: number | undefined) {
  return none === undefined || none < 0 ? values : values.filter((id) => id !== none);
}
