import { For, type JSX } from "solid-js";
import { notateSymbol, notation } from "../../shell/notation.ts";
import type { Flow } from "./flow.ts";
import { messages as m } from "./messages.ts";

interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly tone: string;
}

const BOXES: readonly Box[] = [
  { name: "B", x: 96, y: 110, tone: "attention" },
  { name: "∫", x: 300, y: 110, tone: "quiet" },
  { name: "C", x: 480, y: 110, tone: "s4" },
  { name: "A", x: 300, y: 190, tone: "rnn" },
  { name: "D", x: 300, y: 30, tone: "mamba" },
];
/** Wires, each ending in an arrow. */
const WIRES = [
  "M10 110H74",
  "M118 110H198",
  "M222 110H278",
  "M322 110H458",
  "M502 110H558",
  "M582 110H640",
  "M42 110V30H278",
  "M322 30H570V98",
  "M390 110V190H322",
  "M278 190H210V122",
];

/** The matrix, or the state, whose signal a number on a wire is. */
const PARTS: Readonly<Record<string, string>> = { Bu: "B", x: "x", Ax: "A", Cx: "C", Du: "D" };

/** The integrator holds the state. */
const partOf = (box: string): string => (box === "∫" ? "x" : box);

const one = (value: number): string => (Math.abs(value) < 5e-4 ? 0 : value).toFixed(2).replace("-", "−");
const two = (values: readonly number[]): string => `(${values.map(one).join(", ")})`;

/** A, B, C and D as boxes, the signals on the wires between them. */
export function SignalFlow(props: { flow: Flow }): JSX.Element {
  const labels = (): { id: string; x: number; y: number; text: string }[] => {
    const f = props.flow;
    return [
      { id: "u", x: 40, y: 134, text: `u = ${one(f.u)}` },
      { id: "Bu", x: 157, y: 100, text: two(f.Bu) },
      { id: "change", x: 246, y: 84, text: two(f.change) },
      { id: "x", x: 400, y: 100, text: `x = ${two(f.x)}` },
      { id: "Ax", x: 205, y: 214, text: `A x = ${two(f.Ax)}` },
      { id: "Cx", x: 530, y: 134, text: one(f.Cx) },
      { id: "Du", x: 430, y: 22, text: `D u = ${one(f.Du)}` },
      { id: "y", x: 616, y: 100, text: `y = ${one(f.y)}` },
    ];
  };
  return (
    <div class="lane" tabIndex={0} role="group" aria-label={m().flow}>
      <svg
        viewBox="0 0 680 226"
        style={{ width: "100%", "min-width": "34rem", "max-width": "60rem" }}
        role="img"
        aria-label={m().flowLabel}
        data-testid="flow"
      >
        <defs>
          <marker id="flow-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8Z" fill="var(--ink)" />
          </marker>
        </defs>
        <For each={WIRES}>
          {(path) => <path d={path} fill="none" stroke="var(--ink)" stroke-width="1.5" marker-end="url(#flow-arrow)" />}
        </For>
        <For each={BOXES}>
          {({ name, x, y, tone }) => (
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
        <For each={[210, 570]}>
          {(x) => (
            <g>
              <circle cx={x} cy="110" r="12" fill="var(--surface)" stroke="var(--ink)" stroke-width="1.5" />
              <text x={x} y="115" text-anchor="middle" style={{ "font-size": "16px" }}>
                +
              </text>
            </g>
          )}
        </For>
        <For each={labels()}>
          {({ id, x, y, text }) => (
            <text x={x} y={y} text-anchor="middle" data-signal={id} data-shows={PARTS[id]}>
              {notateSymbol(text, notation())}
            </text>
          )}
        </For>
      </svg>
    </div>
  );
}
