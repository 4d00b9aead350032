/** How a series is told from the others where colour cannot: by its dashes and its markers. */

export type MarkerShape = "circle" | "square" | "triangle" | "diamond" | "cross" | "plus";

export interface SeriesStyle {
  /** Lengths of strokes and gaps in CSS pixels; none is a full line. */
  readonly dash: readonly number[];
  readonly marker: MarkerShape;
}

/** A line so broad is a background for others: full, without markers. CSS pixels. */
export const BROAD = 5;

/** By the name of its colour in the style sheet: the same thing looks the same on every page. */
const styles: Readonly<Record<string, SeriesStyle>> = {
  mamba: { dash: [], marker: "circle" },
  s4: { dash: [9, 4], marker: "square" },
  attention: { dash: [2, 3], marker: "triangle" },
  rnn: { dash: [12, 4, 2, 4], marker: "diamond" },
  bad: { dash: [5, 3], marker: "cross" },
  quiet: { dash: [1, 5], marker: "plus" },
};

const PLAIN: SeriesStyle = { dash: [], marker: "circle" };

export const seriesStyle = (tone: string): SeriesStyle => styles[tone] ?? PLAIN;

/** SVG path of a marker around (0, 0), `r` from its middle to its edge. Closed ones are filled, crosses are stroked. */
export function markerPath(shape: MarkerShape, r: number): string {
  switch (shape) {
    case "circle":
      return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    case "square":
      return `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}Z`;
    case "triangle":
      return `M0 ${-1.2 * r}L${1.15 * r} ${0.9 * r}H${-1.15 * r}Z`;
    case "diamond":
      return `M0 ${-1.35 * r}L${1.35 * r} 0L0 ${1.35 * r}L${-1.35 * r} 0Z`;
    case "cross":
      return `M${-r} ${-r}L${r} ${r}M${r} ${-r}L${-r} ${r}`;
    case "plus":
      return `M0 ${-1.2 * r}V${1.2 * r}M${-1.2 * r} 0H${1.2 * r}`;
  }
}

export const isOpen = (shape: MarkerShape): boolean => shape === "cross" || shape === "plus";

/** Which of the points from `first` to `last` get a marker on a line that does not mark all: about `count`, each series a little further on. */
export function sparse(first: number, last: number, count: number, series: number, seriesCount: number): number[] {
  const every = (last - first + 1) / count;
  if (every < 1) return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return Array.from({ length: count }, (_, i) => first + Math.floor((i + (series + 0.5) / seriesCount) * every)).filter(
    (i) => i <= last,
  );
}
