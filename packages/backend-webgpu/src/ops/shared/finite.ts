/** The largest float, in place of an infinity: WGSL knows none. */
export function finite(value: number): number {
  return Math.max(-3.4028234663852886e38, Math.min(3.4028234663852886e38, value));
}
