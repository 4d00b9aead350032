/** Bits a token that one pays who knows how frequent each is in a row of tokens, and nothing else: its entropy. */
export function frequencyBits<T>(tokens: Iterable<T>): number {
  const counts = new Map<T, number>();
  let all = 0;
  for (const token of tokens) {
    counts.set(token, (counts.get(token) ?? 0) + 1);
    all++;
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / all) * Math.log2(count / all);
  return bits;
}
