/** The known name that a mistyped one is closest to, if any is close. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let [best, fewest] = [undefined as string | undefined, Math.max(2, Math.floor(name.length / 2))];
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase(), fewest);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** Insertions, deletions, changes of one letter and swaps of two neighbours that lead from one name to the other; `limit` where they are as many or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, changed, swapped ? before[j - 2]! + 1 : limit));
    }
    [before, row] = [row, next];
  }
  return Math.min(limit, row[b.length]!);
}
