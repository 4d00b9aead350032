import { createEffect, type JSX } from "solid-js";
import { color, theme } from "../shell/theme.ts";

export interface HeatMapProps {
  readonly label: string;
  readonly rows: number;
  readonly cols: number;
  /** Row-major. */
  readonly values: ArrayLike<number>;
  /** Signed values take two colours around zero, unsigned ones a single ramp from the background. */
  readonly signed?: boolean;
  /** Value of the full colour; the largest by default. */
  readonly limit?: number;
  readonly tone?: string;
  /** CSS height; the width fills the container. */
  readonly height?: string;
  /** Cells keep their shape instead of filling the box. */
  readonly square?: boolean;
}

type Rgb = readonly [number, number, number];

/** A matrix as colours: one canvas pixel a cell, scaled up without smoothing. */
export function HeatMap(props: HeatMapProps): JSX.Element {
  const mounted = (canvas: HTMLCanvasElement): void =>
    createEffect(() => {
      theme();
      const { rows, cols, values } = props;
      canvas.width = Math.max(1, cols);
      canvas.height = Math.max(1, rows);
      canvas.getContext("2d")!.putImageData(paint(props, rows, cols, values), 0, 0);
    });
  return (
    <canvas
      class="heat"
      role="img"
      aria-label={props.label}
      ref={mounted}
      style={
        props.square
          ? { "aspect-ratio": `${props.cols} / ${props.rows}`, height: "auto" }
          : { height: props.height ?? "120px" }
      }
    />
  );
}

function paint(
  { signed, limit, tone }: HeatMapProps,
  rows: number,
  cols: number,
  values: ArrayLike<number>,
): ImageData {
  const [background, positive, negative] = [
    color("heat-zero"),
    color(tone ?? "heat-positive"),
    color("heat-negative"),
  ].map(parseColor) as [Rgb, Rgb, Rgb];
  const full = limit ?? (largest(values) || 1);
  const image = new ImageData(Math.max(1, cols), Math.max(1, rows));
  for (let i = 0; i < rows * cols; i++) {
    const value = Math.max(-1, Math.min(1, values[i]! / full));
    const target = signed && value < 0 ? negative : positive;
    // a root lifts small values, which would all look like nothing
    const strength = Math.sqrt(Math.abs(signed ? value : Math.max(0, value)));
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = background[c]! + strength * (target[c]! - background[c]!);
    image.data[4 * i + 3] = 255;
  }
  return image;
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** `#rrggbb`, as the style sheet writes its colours. */
export function parseColor(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
