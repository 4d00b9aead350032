import { zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { notEqual } from "./binary.ts";
import { cast } from "./make.ts";
import { pad, sliceAxis } from "./slicing.ts";
import { cumsum } from "./reduce.ts";

/** How many times seqIdx has changed along a row, float32 [b, l]: ids may come back, numbers do not. */
export function sequenceNumber(seqIdx: Tensor): Tensor {
  const [b, l] = seqIdx.shape as [number, number];
  if (l <= 1) return zeros([b, l], { backend: seqIdx.backend });
  const changes = cast(notEqual(sliceAxis(seqIdx, 1, 1, l - 1), sliceAxis(seqIdx, 1, 0, l - 1)), "float32");
  return cumsum(
    pad(changes, [
      [0, 0],
      [1, 0],
    ]),
    1,
  );
}
