import { createEffect, createSignal, onCleanup, onMount, type JSX } from "solid-js";
import uPlot from "uplot";
import { color, theme } from "../shell/theme.ts";
import { DataTable } from "./DataTable.tsx";
import { cut, LABEL_HEIGHT, spread } from "./endLabels.ts";
import { Legend } from "./Legend.tsx";
import type { Line } from "./line.ts";
import { BROAD, isOpen, markerPath, seriesStyle, sparse } from "./seriesStyle.ts";

export interface LinePlotProps {
  /** What the plot shows, for those who cannot see it. */
  readonly label: string;
  readonly x: ArrayLike<number>;
  readonly lines: readonly Line[];
  /** Drawn pale under the lines, and not in the legend: what was measured before. */
  readonly ghosts?: readonly Line[];
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly yRange?: readonly [number, number];
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly height?: number;
  /** A vertical mark. */
  readonly mark?: number;
}

/** Markers of a line that does not mark all of its points. */
const SPARSE = 7;
const FONT = "12px system-ui, sans-serif";
/** Pixels of a plot that has room for names at the ends of its lines, and those that they get at most. */
const LABELLED_FROM = 420;
const WIDEST_LABEL = 130;

/** Lines over a common x, redrawn when data, theme or width change, with their values under the pointer and as a table. */
export function LinePlot(props: LinePlotProps): JSX.Element {
  let host: HTMLDivElement | undefined;
  let plot: uPlot | undefined;
  let layout = "";
  const [pointed, setPointed] = createSignal<number | null>(null);
  const at = (): { x: number; index: number } | undefined => {
    const index = pointed();
    return index === null || index >= props.x.length ? undefined : { x: props.x[index]!, index };
  };
  const data = (): uPlot.AlignedData =>
    [
      Array.from(props.x),
      ...[...(props.ghosts ?? []), ...props.lines].map(({ values }) => Array.from(values)),
    ] as uPlot.AlignedData;

  function draw(host: HTMLDivElement): void {
    const next = layoutKey(props) + theme();
    const values = data();
    if (plot !== undefined && next === layout) return plot.setData(values);
    plot?.destroy();
    layout = next;
    plot = new uPlot(options(props, host.clientWidth, setPointed), values, host);
  }

  // only once it is in the document has it a width
  onMount(() => {
    const box = host!;
    createEffect(() => draw(box));
    const observer = new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: props.height ?? 240 }));
    observer.observe(box);
    onCleanup(() => {
      observer.disconnect();
      plot?.destroy();
    });
  });
  return (
    <div class="plotted">
      <div
        class="plot"
        role="img"
        aria-label={props.label}
        ref={(element) => (host = element)}
        style={{ "min-height": `${props.height ?? 240}px` }}
      />
      <Legend lines={props.lines} xLabel={props.xLabel ?? "x"} at={at()} />
      <DataTable
        label={props.label}
        columns={[
          { label: props.xLabel ?? "x", values: props.x },
          ...[...props.lines, ...(props.ghosts ?? [])].map(({ label, values }) => ({ label, values })),
        ]}
      />
    </div>
  );
}

/** What a plot cannot change without being made anew. */
function layoutKey({ lines, ghosts, xLabel, yLabel, yRange, logX, logY, height, mark }: LinePlotProps): string {
  const looks = lines.map(({ label, tone, width, points, shape }) => [label, tone, width, points, shape]);
  return JSON.stringify([looks, ghosts?.map(({ label }) => label), xLabel, yLabel, yRange, logX, logY, height, mark]);
}

function axis(label: string | undefined, vertical: boolean): uPlot.Axis {
  const grid = { stroke: color("grid"), width: 1 };
  return {
    stroke: color("quiet"),
    font: FONT,
    labelFont: FONT,
    grid,
    ticks: grid,
    size: vertical ? 56 : 34,
    ...(label === undefined ? {} : { label, labelSize: 20 }),
    ...(vertical
      ? {
          values: (_: uPlot, ticks: (number | null)[]) => ticks.map((tick) => (tick === null ? "" : shortNumber(tick))),
        }
      : {}),
  };
}

/** 0.001, 1.5, 12k: what fits an axis. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${+(value / 1e9).toPrecision(3)}G`;
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  if (size !== 0 && size < 1e-3) return value.toExponential(0);
  return String(+value.toPrecision(3));
}

function series(line: Line, index: number, count: number): uPlot.Series {
  const stroke = color(line.tone);
  const { dash } = seriesStyle(line.tone);
  const width = line.width ?? 2;
  const paths =
    line.shape === "steps"
      ? uPlot.paths.stepped!({ align: 1 })
      : line.shape === "bars"
        ? uPlot.paths.bars!({ size: [0.7, 40] })
        : uPlot.paths.linear!();
  return {
    label: line.label,
    stroke,
    width,
    paths,
    points: { show: (plot, at, first, last) => drawMarkers(plot, at, line, stroke, [first, last], index, count) },
    ...(line.shape === "bars" ? { fill: stroke } : {}),
    ...(dash.length > 0 && width < BROAD && line.shape !== "bars" ? { dash: [...dash] } : {}),
  };
}

function ghostSeries({ label, tone }: Line): uPlot.Series {
  const { dash } = seriesStyle(tone);
  return {
    label,
    stroke: color(tone),
    width: 1.5,
    alpha: 0.4,
    points: { show: false },
    spanGaps: true,
    ...(dash.length > 0 ? { dash: [...dash] } : {}),
  };
}

/** Draws a series' own markers; returns false, so that uPlot draws none of its circles. */
function drawMarkers(
  plot: uPlot,
  at: number,
  line: Line,
  stroke: string,
  [first, last]: readonly [number, number],
  index: number,
  count: number,
): false {
  if (line.shape === "bars" || (line.width ?? 2) >= BROAD) return false;
  const { marker } = seriesStyle(line.tone);
  const path = new Path2D(markerPath(marker, 3.6 * uPlot.pxRatio));
  const marked = line.points
    ? Array.from({ length: last - first + 1 }, (_, i) => first + i)
    : sparse(first, last, SPARSE, index, count);
  const { ctx } = plot;
  ctx.save();
  ctx.setLineDash([]);
  ctx.lineWidth = 1.8 * uPlot.pxRatio;
  ctx.strokeStyle = stroke;
  ctx.fillStyle = stroke;
  for (const i of marked) {
    const value = plot.data[at]![i];
    if (value === null || value === undefined) continue;
    drawSpread(plot, at, line, i);
    const [x, y] = [plot.valToPos(plot.data[0][i]!, "x", true), plot.valToPos(value, plot.series[at]!.scale!, true)];
    if (y < plot.bbox.top - 1 || y > plot.bbox.top + plot.bbox.height + 1) continue;
    ctx.translate(x, y);
    ctx[isOpen(marker) ? "stroke" : "fill"](path);
    ctx.translate(-x, -y);
  }
  ctx.restore();
  return false;
}

function drawSpread(plot: uPlot, at: number, { low, high }: Line, i: number): void {
  const [from, to] = [low?.[i], high?.[i]];
  if (from === null || from === undefined || to === null || to === undefined) return;
  const scale = plot.series[at]!.scale!;
  const x = plot.valToPos(plot.data[0][i]!, "x", true);
  plot.ctx.beginPath();
  plot.ctx.moveTo(x, plot.valToPos(from, scale, true));
  plot.ctx.lineTo(x, plot.valToPos(to, scale, true));
  plot.ctx.stroke();
}

function options(props: LinePlotProps, width: number, onPoint: (index: number | null) => void): uPlot.Options {
  const range = props.yRange;
  const room = labelRoom(props, width);
  return {
    width,
    padding: [null, room === 0 ? null : room + 8, null, null],
    height: props.height ?? 240,
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    legend: { show: false },
    scales: {
      x: { time: false, ...(props.logX ? { distr: 3 as const, log: 2 as const } : {}) },
      y: {
        ...(range ? { range: [range[0], range[1]] as uPlot.Range.MinMax } : {}),
        ...(props.logY ? { distr: 3 as const } : {}),
      },
    },
    axes: [axis(props.xLabel, false), axis(props.yLabel, true)],
    series: [
      {},
      ...(props.ghosts ?? []).map(ghostSeries),
      ...props.lines.map((line, i) => series(line, i, props.lines.length)),
    ],
    hooks: {
      setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)],
      draw: [
        (plot) => {
          if (props.mark !== undefined) drawMark(plot, props.mark);
          if (room > 0) drawEndLabels(plot, props.lines, room);
        },
      ],
    },
  };
}

function drawMark(plot: uPlot, at: number): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(at, "x", true);
  ctx.save();
  ctx.strokeStyle = color("quiet");
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

const hasEnd = (line: Line): boolean => line.shape !== "bars" && line.width !== 0;

let pen: CanvasRenderingContext2D | undefined;
function textWidth(text: string): number {
  pen ??= document.createElement("canvas").getContext("2d")!;
  pen.font = FONT;
  return pen.measureText(text).width;
}

/** Pixels beside the plot for the names of its lines; 0 where it is too narrow, or one line needs none. */
function labelRoom({ lines }: LinePlotProps, width: number): number {
  const named = lines.filter(hasEnd);
  if (named.length < 2 || width < LABELLED_FROM) return 0;
  return Math.min(WIDEST_LABEL, width / 4, Math.max(...named.map(({ label }) => textWidth(label))));
}

/** Writes each line's name where it ends, in its colour. */
function drawEndLabels(plot: uPlot, lines: readonly Line[], room: number): void {
  const { ctx, bbox } = plot;
  const from = plot.series.length - lines.length;
  const ends = lines.flatMap((line, i) => {
    const values = plot.data[from + i]!;
    const last = values.findLastIndex((value) => value !== null && value !== undefined);
    if (!hasEnd(line) || last < 0) return [];
    const y = plot.valToPos(values[last]!, plot.series[from + i]!.scale!, true);
    return [{ text: cut(line.label, room, textWidth), tone: line.tone, y }];
  });
  ctx.save();
  ctx.font = `${12 * uPlot.pxRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const [top, bottom] = [bbox.top + 6 * uPlot.pxRatio, bbox.top + bbox.height - 6 * uPlot.pxRatio];
  for (const { text, tone, y } of spread(ends, top, bottom, LABEL_HEIGHT * uPlot.pxRatio)) {
    // a border's colour is too pale for letters
    ctx.fillStyle = color(tone === "line" ? "quiet" : tone);
    ctx.fillText(text, bbox.left + bbox.width + 6 * uPlot.pxRatio, y);
  }
  ctx.restore();
}
