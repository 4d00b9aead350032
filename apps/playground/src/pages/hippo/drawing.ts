export interface Spot {
  /** From 0 at the left to 1 at the right. */
  readonly x: number;
  /** From -1 at the bottom to 1 at the top. */
  readonly y: number;
}

const within = (low: number, value: number, high: number): number => Math.max(low, Math.min(high, value));

/** The points after a pen went from one spot to another: every point it passed lies on its way, however far apart the two spots were. */
export function stroke(points: readonly number[], from: Spot, to: Spot): number[] {
  const last = points.length - 1;
  const place = ({ x }: Spot): number => within(0, Math.round(x * last), last);
  const [a, b] = [place(from), place(to)];
  const [left, right] = [Math.min(a, b), Math.max(a, b)];
  return points.map((value, i) => {
    if (i < left || i > right) return value;
    const share = a === b ? 1 : (i - a) / (b - a);
    return within(-1, from.y + share * (to.y - from.y), 1);
  });
}
