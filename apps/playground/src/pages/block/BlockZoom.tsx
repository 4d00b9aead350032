import { For, type JSX } from "solid-js";
import { notateSymbol, notation } from "../../shell/notation.ts";
import type { Numbers } from "./compute/at.ts";
import { lights, lit, type Part } from "./lit.tsx";
import { messages as m } from "./messages.ts";

interface Box {
  readonly part: Part;
  readonly name: keyof ReturnType<typeof m>["boxes"];
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

const BOXES: readonly Box[] = [
  { part: "stream", name: "norm", x: 66, y: 120, width: 58 },
  { part: "v", name: "inProj", x: 150, y: 120, width: 66 },
  { part: "conv", name: "conv", x: 262, y: 120, width: 56 },
  { part: "u", name: "silu", x: 354, y: 120, width: 56 },
  { part: "delta", name: "select", x: 430, y: 196, width: 62 },
  { part: "x", name: "ssm", x: 520, y: 120, width: 66 },
  { part: "gate", name: "silu", x: 520, y: 262, width: 56 },
  { part: "out", name: "outProj", x: 704, y: 120, width: 66 },
];

const WIRES: readonly { readonly part: Part; readonly path: string }[] = [
  { part: "stream", path: "M6 30H768" },
  { part: "stream", path: "M20 30V120H35" },
  { part: "v", path: "M95 120H115" },
  { part: "v", path: "M183 120H232" },
  { part: "conv", path: "M290 120H324" },
  { part: "u", path: "M382 120H485" },
  { part: "delta", path: "M430 120V178" },
  { part: "delta", path: "M461 196H520V138" },
  { part: "z", path: "M150 138V262H490" },
  { part: "y", path: "M553 120H606" },
  { part: "gate", path: "M548 262H620V134" },
  { part: "out", path: "M634 120H669" },
  { part: "out", path: "M737 120H786V44" },
  { part: "out", path: "M800 30H852" },
];

const JOINS: readonly { readonly part: Part; readonly x: number; readonly y: number; readonly sign: string }[] = [
  { part: "gate", x: 620, y: 120, sign: "×" },
  { part: "out", x: 786, y: 30, sign: "+" },
];

const short = (value: number): string => String(+value.toPrecision(3)).replace("-", "−");

/** One block's wires. The numbers are one channel's at one token, those on the stream its root mean square. */
export function BlockZoom(props: { at: Numbers; near: () => void }): JSX.Element {
  const labels = (): { part: Part; x: number; y: number; text: string }[] => [
    { part: "stream", x: 60, y: 20, text: short(props.at.stream) },
    { part: "v", x: 208, y: 158, text: `v ${short(props.at.v)}` },
    { part: "z", x: 250, y: 254, text: `z ${short(props.at.z)}` },
    { part: "conv", x: 306, y: 158, text: short(props.at.convolved) },
    { part: "u", x: 434, y: 110, text: `u ${short(props.at.u)}` },
    { part: "delta", x: 506, y: 226, text: `Δ ${short(props.at.delta)}, B, C` },
    { part: "y", x: 580, y: 158, text: `y ${short(props.at.y)}` },
    { part: "gate", x: 652, y: 240, text: short(props.at.gate) },
    { part: "out", x: 655, y: 158, text: short(props.at.gated) },
  ];
  return (
    <div class="lane" tabIndex={0} role="group" aria-label={m().picture}>
      <svg
        class="wired"
        viewBox="0 0 860 290"
        style={{ width: "100%", "min-width": "44rem" }}
        data-testid="wires"
        role="group"
        aria-label={m().picture}
      >
        <defs>
          <marker id="wire-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">
            <path d="M0 0L8 4L0 8Z" fill="var(--quiet)" />
          </marker>
        </defs>
        <For each={WIRES}>
          {({ part, path }) => (
            <path
              class="wire"
              classList={{ lit: lit() === part }}
              d={path}
              marker-end="url(#wire-arrow)"
              data-part={part}
              onPointerEnter={lights(part).onPointerEnter}
              onPointerLeave={lights(part).onPointerLeave}
            />
          )}
        </For>
        <For each={BOXES}>
          {({ part, name, x, y, width }) => (
            <g
              class="box"
              classList={{ lit: lit() === part || (name === "ssm" && ["ABar", "B", "C", "D"].includes(lit() ?? "")) }}
              data-part={part}
              onPointerEnter={lights(part).onPointerEnter}
              onPointerLeave={lights(part).onPointerLeave}
              onClick={() => (name === "ssm" ? props.near() : lights(part).onClick())}
            >
              <rect x={x - width / 2} y={y - 18} width={width} height="36" rx="7" />
              <text x={x} y={y + 5} text-anchor="middle">
                {m().boxes[name]}
              </text>
            </g>
          )}
        </For>
        <For each={JOINS}>
          {({ part, x, y, sign }) => (
            <g class="box" classList={{ lit: lit() === part }} data-part={part}>
              <circle cx={x} cy={y} r="14" />
              <text x={x} y={y + 5} text-anchor="middle">
                {sign}
              </text>
            </g>
          )}
        </For>
        <For each={labels()}>
          {({ part, x, y, text }) => (
            <text x={x} y={y} text-anchor="middle" data-number={part}>
              {notateSymbol(text, notation())}
            </text>
          )}
        </For>
      </svg>
    </div>
  );
}
