import { valueAndGrads } from "./gradients.ts";
import { tidy } from "./scope.ts";
import { differentiated, isDifferentiated, isRecording, record, recordingSerial, rehearse } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The result of a function of which nothing but the inputs is kept for its gradient: it runs once more when the gradient is taken, which
 * costs its time and saves its memory.
 * @param fn gives the same each time it is given the same; it may use what is differentiated (parameters) beside its inputs, and nothing
 * else that ends before the gradient is taken
 * @param inputs float32 or int32
 * Source: Chen et al. 2016 (arXiv 1604.06174).
 */
export function recompute(fn: (...inputs: readonly Tensor[]) => Tensor, inputs: readonly Tensor[]): Tensor {
  if (!isRecording()) return tidy(() => fn(...inputs));
  const serial = recordingSerial();
  const onTape = inputs.map((input) => input.onTape === serial);
  const watched = differentiated();
  const own = inputs.filter((_, i) => onTape[i]);
  const y = tidy(() => rehearse([...own, ...watched], () => fn(...inputs)));
  const all = named([...own, ...watched]);
  if (!isDifferentiated(all)) return y;
  record("recompute", all, [y], {
    save: inputs,
    backward: ([dy], kept) => {
      const xs = [...kept.filter((_, i) => onTape[i]), ...watched];
      const before = xs.map((x) => x.onTape);
      const { value, grads } = valueAndGrads(() => fn(...kept), xs, dy!);
      value.dispose();
      xs.forEach((x, i) => (x.onTape = before[i]!));
      return Object.fromEntries(Object.entries(named(grads)).filter(hasGradient));
    },
  });
  return y;
}

function named<T>(list: readonly T[]): Record<string, T> {
  return Object.fromEntries(list.map((each, i) => [String(i), each]));
}

const hasGradient = (entry: [string, Tensor | null]): entry is [string, Tensor] => entry[1] !== null;
