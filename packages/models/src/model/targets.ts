/** The target of positions that have none; see `crossEntropy`. */
export const NO_TARGET = -100;

/** Targets of next-token prediction: every row shifted left by one, the last position without a target. */
export function nextTokenTargets(ids: Int32Array, length: number): Int32Array {
  const targets = new Int32Array(ids.length);
  for (let i = 0; i < ids.length; i++) targets[i] = (i + 1) % length === 0 ? NO_TARGET : ids[i + 1]!;
  return targets;
}
