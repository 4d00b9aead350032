/** Seeded uniform floats in [low, high), so that runs compare. */
export function uniform(seed: number, size: number, low = -1, high = 1): Float32Array {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return low + ((high - low) * (state >>> 8)) / 2 ** 24;
  });
}

/** ||out - reference|| / ||reference||; NaN never passes a bound. */
export function relativeError(out: ArrayLike<number>, reference: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < reference.length; i++) {
    difference += (out[i]! - reference[i]!) ** 2;
    size += reference[i]! ** 2;
  }
  return Math.sqrt(difference / (size || 1));
}
