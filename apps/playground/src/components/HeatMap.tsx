import { createEffect, createSignal, Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";
import { color, theme } from "../shell/theme.ts";
import { DataTable, shownNumber, type Column } from "./DataTable.tsx";

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

/** Larger matrices are looked at, and pointed at; as a table they would help nobody. */
const MOST_COLUMNS = 64;

/** A matrix as colours: one canvas pixel a cell, scaled up without smoothing; what the colours mean, in numbers; the number under the pointer. */
export function HeatMap(props: HeatMapProps): JSX.Element {
  const [pointed, setPointed] = createSignal<{ row: number; column: number }>();
  const full = (): number => props.limit ?? (largest(props.values) || 1);
  const mounted = (canvas: HTMLCanvasElement): void =>
    createEffect(() => {
      theme();
      const { rows, cols, values } = props;
      canvas.width = Math.max(1, cols);
      canvas.height = Math.max(1, rows);
      canvas.getContext("2d")!.putImageData(paint(props, full(), rows, cols, values), 0, 0);
    });
  const onPointer = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const cell = (share: number, count: number): number => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    setPointed({
      row: cell((event.clientY - top) / height, props.rows),
      column: cell((event.clientX - left) / width, props.cols),
    });
  };
  const told = (): string => {
    const at = pointed();
    if (at === undefined) return "";
    return shell().cell(at.row + 1, at.column + 1, shownNumber(props.values[at.row * props.cols + at.column]));
  };
  /** One column a row of the picture, since pictures are wide and tables are long. */
  const columns = (): Column[] => [
    { label: shell().column, values: Array.from({ length: props.cols }, (_, i) => i + 1) },
    ...Array.from({ length: props.rows }, (_, row) => ({
      label: `${shell().row} ${row + 1}`,
      values: Array.from({ length: props.cols }, (_, column) => props.values[row * props.cols + column]!),
    })),
  ];
  return (
    <div class="heated">
      <canvas
        class="heat"
        role="img"
        aria-label={props.label}
        ref={mounted}
        onPointerMove={onPointer}
        onPointerDown={onPointer}
        onPointerLeave={() => setPointed(undefined)}
        style={
          props.square
            ? { "aspect-ratio": `${props.cols} / ${props.rows}`, height: "auto" }
            : { height: props.height ?? "120px" }
        }
      />
      <div class="under">
        <ColorBar signed={props.signed ?? false} full={full()} tone={props.tone ?? "heat-positive"} />
        <output>{told()}</output>
        <Show when={props.rows <= MOST_COLUMNS}>
          <DataTable label={props.label} columns={columns()} />
        </Show>
      </div>
    </div>
  );
}

/** The colours with the numbers they stand for. The root that lifts small values is in it, too. */
function ColorBar(props: { signed: boolean; full: number; tone: string }): JSX.Element {
  const stops = (): string => {
    const toward = (tone: string, strength: number): string =>
      `color-mix(in srgb, var(--${tone}) ${(100 * Math.sqrt(strength)).toFixed(1)}%, var(--heat-zero))`;
    const up = [0, 0.05, 0.2, 0.5, 1].map((strength) => ({ strength, tone: props.tone }));
    const down = [1, 0.5, 0.2, 0.05].map((strength) => ({ strength: -strength, tone: "heat-negative" }));
    const place = (strength: number): number => 100 * (props.signed ? (strength + 1) / 2 : strength);
    return (props.signed ? [...down, ...up] : up)
      .map(({ strength, tone }) => `${toward(tone, Math.abs(strength))} ${place(strength)}%`)
      .join(", ");
  };
  const number = (value: number): string => String(+value.toPrecision(3)).replace("-", "−");
  return (
    <span class="colorbar" data-full={props.full}>
      <span>{props.signed ? number(-props.full) : "0"}</span>
      <i style={{ background: `linear-gradient(to right, ${stops()})` }} />
      <span>{number(props.full)}</span>
    </span>
  );
}

function paint(
  { signed, tone }: HeatMapProps,
  full: number,
  rows: number,
  cols: number,
  values: ArrayLike<number>,
): ImageData {
  const [background, positive, negative] = [
    color("heat-zero"),
    color(tone ?? "heat-positive"),
    color("heat-negative"),
  ].map(parseColor) as [Rgb, Rgb, Rgb];
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

export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** `#rrggbb`, as the style sheet writes its colours. */
export function parseColor(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
