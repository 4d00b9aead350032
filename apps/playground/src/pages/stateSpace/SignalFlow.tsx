import { For, type JSX } from "solid-js";
import { notateSymbol, notation } from "../../shell/notation.ts";
import { upright } from "../../shell/screen.ts";
import type { Flow } from "./flow.ts";
import { BROAD, TALL, type FlowLayout, type Signal } from "./flowLayout.ts";
import { messages as m } from "./messages.ts";

const TONES: Readonly<Record<keyof FlowLayout["boxes"], string>> = {
  B: "attention",
  "∫": "quiet",
  C: "s4",
  A: "rnn",
  D: "mamba",
};
const NAMES = Object.keys(TONES) as (keyof FlowLayout["boxes"])[];

/** The matrix, or the state, whose signal a number on a wire is. */
const PARTS: Readonly<Record<string, string>> = { Bu: "B", x: "x", Ax: "A", Cx: "C", Du: "D" };

const SIGNALS = Object.keys(BROAD.labels) as Signal[];

/** The integrator holds the state. */
const partOf = (box: string): string => (box === "∫" ? "x" : box);

const one = (value: number): string => (Math.abs(value) < 5e-4 ? 0 : value).toFixed(2).replace("-", "−");
const two = (values: readonly number[]): string => `(${values.map(one).join(", ")})`;

/** A, B, C and D as boxes, the signals on the wires between them. */
export function SignalFlow(props: { flow: Flow }): JSX.Element {
  const layout = (): FlowLayout => (upright() ? TALL : BROAD);
  const said = (): Record<Signal, string> => {
    const f = props.flow;
    return {
      u: `u = ${one(f.u)}`,
      Bu: two(f.Bu),
      change: two(f.change),
      x: `x = ${two(f.x)}`,
      Ax: `A x = ${two(f.Ax)}`,
      Cx: one(f.Cx),
      Du: `D u = ${one(f.Du)}`,
      y: `y = ${one(f.y)}`,
    };
  };
  return (
    <div class="lane" tabIndex={0} role="group" aria-label={m().flow}>
      <svg
        viewBox={`0 0 ${layout().width} ${layout().height}`}
        style={{
          width: "100%",
          "min-width": upright() ? "0" : "34rem",
          "max-width": upright() ? "26rem" : "60rem",
        }}
        role="img"
        aria-label={m().flowLabel}
        data-testid="flow"
      >
        <defs>
          <marker id="flow-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8Z" fill="var(--ink)" />
          </marker>
        </defs>
        <For each={layout().wires}>
          {(path) => <path d={path} fill="none" stroke="var(--ink)" stroke-width="1.5" marker-end="url(#flow-arrow)" />}
        </For>
        <For each={NAMES.map((name) => ({ name, tone: TONES[name], at: layout().boxes[name] }))}>
          {({ name, tone, at: [x, y] }) => (
            <g>
              <rect
                x={x - 20}
                y={y - 18}
                width="40"
                height="36"
                rx="7"
                fill="var(--surface)"
                data-shows={partOf(name)}
                stroke={`var(--${tone})`}
                stroke-width="2.5"
              />
              <text
                x={x}
                y={y + 6}
                text-anchor="middle"
                data-shows={partOf(name)}
                style={{ "font-size": "18px", "font-weight": 650 }}
              >
                {name}
              </text>
            </g>
          )}
        </For>
        <For each={layout().sums}>
          {([x, y]) => (
            <g>
              <circle cx={x} cy={y} r="12" fill="var(--surface)" stroke="var(--ink)" stroke-width="1.5" />
              <text x={x} y={y + 5} text-anchor="middle" style={{ "font-size": "16px" }}>
                +
              </text>
            </g>
          )}
        </For>
        <For each={SIGNALS}>
          {(id) => (
            <text
              x={layout().labels[id][0]}
              y={layout().labels[id][1]}
              text-anchor={layout().labels[id][2]}
              data-signal={id}
              data-shows={PARTS[id]}
            >
              {notateSymbol(said()[id], notation())}
            </text>
          )}
        </For>
      </svg>
    </div>
  );
}
