import type { DataId, TensorValues } from "../backend/types.ts";
import type { Tensor } from "./tensor.ts";

/** What is known of ids that came from JavaScript: enough to name one that is out of place, without reading a device. */
export interface IdRange {
  readonly greatest: number;
  /** The first two different negative ones. */
  readonly negative: readonly number[];
}

/** By storage, so that a reshaped tensor knows them too. */
const known = new WeakMap<DataId, IdRange>();

/** The range of some ids. */
export function rangeOf(values: TensorValues): IdRange {
  let greatest = -1;
  const negative: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const id = values[i]!;
    if (id > greatest) greatest = id;
    else if (id < 0 && negative.length < 2 && !negative.includes(id)) negative.push(id);
  }
  return { greatest, negative };
}

/** Notes the ids of a tensor that was just made. */
export function noteIds(dataId: DataId, values: TensorValues): void {
  known.set(dataId, rangeOf(values));
}

/** A tensor's values change: what is noted no longer holds. */
export function forgetIds({ dataId }: Tensor): void {
  known.delete(dataId);
}

/** What is noted of a tensor's ids. */
export function notedIds({ dataId }: Tensor): IdRange | undefined {
  return known.get(dataId);
}
