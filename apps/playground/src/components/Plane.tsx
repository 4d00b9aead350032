import { For, Show, type JSX } from "solid-js";
import { DataTable } from "./DataTable.tsx";

export interface PlanePoint {
  readonly re: number;
  readonly im: number;
  readonly tone: string;
  readonly mark?: "dot" | "cross" | "ring" | "square";
}

/** The complex plane with points. `region` shades where a system is stable: the left half or the unit disc. */
export function Plane(props: {
  label: string;
  points: readonly PlanePoint[];
  extent: number;
  region: "left" | "disc";
  caption: string;
}): JSX.Element {
  const scale = (): number => 100 / props.extent;
  const clamp = (value: number): number => Math.max(-108, Math.min(108, value * scale()));
  return (
    <figure class="figure">
      <svg
        viewBox="-112 -112 224 224"
        role="img"
        aria-label={props.label}
        style={{ width: "100%", "max-width": "18rem" }}
      >
        <Show
          when={props.region === "left"}
          fallback={<circle r={scale()} fill="var(--accent-soft)" stroke="var(--accent)" />}
        >
          <rect x="-112" y="-112" width="112" height="224" fill="var(--accent-soft)" />
        </Show>
        <path d="M-112 0H112M0 -112V112" stroke="var(--quiet)" stroke-width="0.7" />
        <For each={props.points}>
          {(point) => <Mark x={clamp(point.re)} y={-clamp(point.im)} tone={point.tone} mark={point.mark ?? "dot"} />}
        </For>
        <For each={ticks(props.extent)}>
          {(tick) => (
            <>
              <path
                d={`M${tick * scale()} -2.5V2.5M-2.5 ${-tick * scale()}H2.5`}
                stroke="var(--quiet)"
                stroke-width="0.8"
              />
              <text x={tick * scale()} y="11" text-anchor="middle" class="tick">
                {shown(tick)}
              </text>
              {/* beside the half where the points are */}
              <text
                x={props.region === "left" ? 4 : -4}
                y={-tick * scale() + 3}
                text-anchor={props.region === "left" ? "start" : "end"}
                class="tick"
              >
                {shown(tick)}
              </text>
            </>
          )}
        </For>
        <text x="108" y="-4" text-anchor="end" style={{ "font-size": "9px" }}>
          Re
        </text>
        <text
          x={props.region === "left" ? -4 : 4}
          y="-102"
          text-anchor={props.region === "left" ? "end" : "start"}
          style={{ "font-size": "9px" }}
        >
          Im
        </text>
      </svg>
      <figcaption>{props.caption}</figcaption>
      <DataTable
        label={props.caption}
        columns={[
          { label: "Re", values: props.points.map(({ re }) => re) },
          { label: "Im", values: props.points.map(({ im }) => im) },
          { label: "|λ|", values: props.points.map(({ re, im }) => Math.hypot(re, im)) },
        ]}
      />
    </figure>
  );
}

const shown = (tick: number): string => String(+tick.toPrecision(3)).replace("-", "−");

/** Two to five numbers to each side of 0 that are easy to read: 1, 2 or 5 times a power of ten apart. */
export function ticks(extent: number): number[] {
  const raw = extent / 2.2;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([5, 2, 1].find((each) => each * power <= raw) ?? 1);
  const count = Math.floor(extent / step);
  return [
    ...Array.from({ length: count }, (_, i) => -(count - i) * step),
    ...Array.from({ length: count }, (_, i) => (i + 1) * step),
  ];
}

function Mark(props: { x: number; y: number; tone: string; mark: NonNullable<PlanePoint["mark"]> }): JSX.Element {
  const stroke = (): string => `var(--${props.tone})`;
  const shapes: Record<typeof props.mark, () => JSX.Element> = {
    dot: () => <circle cx={props.x} cy={props.y} r="3.4" fill={stroke()} />,
    ring: () => <circle cx={props.x} cy={props.y} r="5" fill="none" stroke={stroke()} stroke-width="2.2" />,
    cross: () => <path d={`M${props.x - 4} ${props.y - 4}l8 8m0 -8l-8 8`} stroke={stroke()} stroke-width="2.2" />,
    square: () => (
      <rect x={props.x - 4} y={props.y - 4} width="8" height="8" fill="none" stroke={stroke()} stroke-width="2.2" />
    ),
  };
  return <>{shapes[props.mark]()}</>;
}
