/** A name at the right end of a line: which line it is, read without the legend. */
export interface EndLabel {
  readonly text: string;
  readonly tone: string;
  /** Where the line ends. */
  readonly y: number;
}

/** Distance of two names, in the same unit as `y`. */
export const LABEL_HEIGHT = 14;

/**
 * Moves names apart, up and down from where their lines end, each as little as its neighbours allow and all within the plot. Names that do not fit are left out:
 * the legend has them.
 * @returns in order from the top, with `y` moved
 */
export function spread(labels: readonly EndLabel[], top: number, bottom: number, height = LABEL_HEIGHT): EndLabel[] {
  const room = Math.floor((bottom - top) / height) + 1;
  const kept = labels.slice(0, Math.max(0, room)).toSorted((a, b) => a.y - b.y);
  const places = kept.map(({ y }) => Math.max(top, Math.min(bottom, y)));
  for (let i = 1; i < places.length; i++) places[i] = Math.max(places[i]!, places[i - 1]! + height);
  for (let i = places.length - 1; i >= 0; i--)
    places[i] = Math.min(places[i]!, bottom - height * (places.length - 1 - i));
  return kept.map((label, i) => ({ ...label, y: places[i]! }));
}

/** As much of a text as fits a width, with dots where it was cut. */
export function cut(text: string, width: number, measure: (text: string) => number): string {
  if (measure(text) <= width) return text;
  let end = text.length - 1;
  while (end > 1 && measure(`${text.slice(0, end)}…`) > width) end--;
  return `${text.slice(0, end).trimEnd()}…`;
}
