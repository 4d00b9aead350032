import { createEffect, onCleanup, onMount, type JSX } from "solid-js";
import uPlot from "uplot";
import { color, theme } from "../shell/theme.ts";

export interface Line {
  readonly label: string;
  /** A colour variable of the style sheet. */
  readonly tone: string;
  readonly values: ArrayLike<number | null>;
  readonly width?: number;
  readonly dashed?: boolean;
  readonly points?: boolean;
  /** Steps instead of slopes, for held signals; bars from zero, for filters. */
  readonly shape?: "line" | "steps" | "bars";
}

export interface LinePlotProps {
  /** What the plot shows, for those who cannot see it. */
  readonly label: string;
  readonly x: ArrayLike<number>;
  readonly lines: readonly Line[];
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly yRange?: readonly [number, number];
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly height?: number;
  /** A vertical mark. */
  readonly mark?: number;
}

const FONT = "12px system-ui, sans-serif";

/** Lines over a common x, redrawn when data, theme or width change. */
export function LinePlot(props: LinePlotProps): JSX.Element {
  let host: HTMLDivElement | undefined;
  let plot: uPlot | undefined;
  let layout = "";
  const data = (): uPlot.AlignedData =>
    [Array.from(props.x), ...props.lines.map(({ values }) => Array.from(values))] as uPlot.AlignedData;

  function draw(host: HTMLDivElement): void {
    const next = layoutKey(props) + theme();
    const values = data();
    if (plot !== undefined && next === layout) return plot.setData(values);
    plot?.destroy();
    layout = next;
    plot = new uPlot(options(props, host.clientWidth), values, host);
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
    <div
      class="plot"
      role="img"
      aria-label={props.label}
      ref={(element) => (host = element)}
      style={{ "min-height": `${(props.height ?? 240) + 30}px` }}
    />
  );
}

/** What a plot cannot change without being made anew. */
function layoutKey({ lines, xLabel, yLabel, yRange, logX, logY, height, mark }: LinePlotProps): string {
  const looks = lines.map(({ label, tone, width, dashed, points, shape }) => [
    label,
    tone,
    width,
    dashed,
    points,
    shape,
  ]);
  return JSON.stringify([looks, xLabel, yLabel, yRange, logX, logY, height, mark]);
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

function series(line: Line): uPlot.Series {
  const stroke = color(line.tone);
  const paths =
    line.shape === "steps"
      ? uPlot.paths.stepped!({ align: 1 })
      : line.shape === "bars"
        ? uPlot.paths.bars!({ size: [0.7, 40] })
        : uPlot.paths.linear!();
  return {
    label: line.label,
    stroke,
    width: line.width ?? 2,
    paths,
    points: { show: line.points ?? false, size: 6, fill: stroke, stroke },
    ...(line.shape === "bars" ? { fill: `color-mix(in srgb, ${stroke} 55%, transparent)` } : {}),
    ...(line.dashed ? { dash: [6, 5] } : {}),
    value: (_, value) => (value === null ? "" : String(+value.toPrecision(4))),
  };
}

function options(props: LinePlotProps, width: number): uPlot.Options {
  const range = props.yRange;
  return {
    width,
    height: props.height ?? 240,
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    legend: { live: false, markers: { fill: (_, i) => (i === 0 ? "" : color(props.lines[i - 1]!.tone)) } },
    scales: {
      x: { time: false, ...(props.logX ? { distr: 3 as const, log: 2 as const } : {}) },
      y: {
        ...(range ? { range: [range[0], range[1]] as uPlot.Range.MinMax } : {}),
        ...(props.logY ? { distr: 3 as const } : {}),
      },
    },
    axes: [axis(props.xLabel, false), axis(props.yLabel, true)],
    series: [{}, ...props.lines.map(series)],
    hooks: props.mark === undefined ? {} : { draw: [(plot) => drawMark(plot, props.mark!)] },
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
