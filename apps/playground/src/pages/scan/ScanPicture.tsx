import { For, Show, type JSX } from "solid-js";
import { upright } from "../../shell/screen.ts";
import { finalAt, mergedInto } from "./compute/rounds.ts";
import { ScanUpright, type ScanPictureProps } from "./ScanUpright.tsx";

const ROW = 54;
const COLUMN = 52;
const [WIDTH, HEIGHT] = [44, 36];

/** Elements as columns, rounds as rows; what is merged in a round is joined by lines. */
export function ScanPicture(props: ScanPictureProps): JSX.Element {
  return (
    <Show when={upright()} fallback={<Broad {...props} />}>
      <ScanUpright {...props} />
    </Show>
  );
}

function Broad(props: ScanPictureProps): JSX.Element {
  const l = (): number => props.history[0]!.length;
  const x = (i: number): number => COLUMN * (i + 0.5);
  const y = (row: number): number => ROW * (row + 0.5);
  const final = (row: number, i: number): boolean => finalAt(props.history, row, i);
  return (
    <div class="lane stays" tabIndex={0} role="group" aria-label={props.label}>
      <svg
        viewBox={`0 0 ${COLUMN * l() + 170} ${ROW * props.history.length}`}
        role="img"
        aria-label={props.label}
        style={{
          width: "100%",
          "min-width": `${Math.min(1500, 38 * l() + 120)}px`,
          "max-width": `${1.2 * COLUMN * l() + 200}px`,
        }}
      >
        <For each={props.rounds.slice(0, props.shown)}>
          {(round, row) => (
            <g>
              <For each={round.pairs}>
                {({ from, to }) => (
                  <path
                    d={`M${x(from)} ${y(row())}L${x(to)} ${y(row() + 1)}M${x(to)} ${y(row())}V${y(row() + 1)}`}
                    stroke="var(--s4)"
                    stroke-width="2.4"
                    fill="none"
                  />
                )}
              </For>
              <text x={COLUMN * l() + 8} y={y(row() + 1) + 4}>
                {row() + 1}. {props.phase(round)}
              </text>
            </g>
          )}
        </For>
        <For each={props.history.slice(0, props.shown + 1)}>
          {(elements, row) => (
            <For each={elements}>
              {({ a, b }, i) => (
                <g>
                  <rect
                    x={x(i()) - WIDTH / 2}
                    y={y(row()) - HEIGHT / 2}
                    width={WIDTH}
                    height={HEIGHT}
                    rx="8"
                    fill={final(row(), i()) ? "var(--accent)" : "var(--surface)"}
                    stroke={mergedInto(props.rounds, row(), i()) ? "var(--s4)" : "var(--line)"}
                    stroke-width="2"
                  />
                  <For each={[a, b]}>
                    {(value, line) => (
                      <text
                        x={x(i())}
                        y={y(row()) - 4 + 15 * line()}
                        text-anchor="middle"
                        style={{ "font-size": "11px", fill: final(row(), i()) ? "var(--on-accent)" : "var(--ink)" }}
                      >
                        {line() === 0 ? `a ${value.toFixed(2)}` : value.toFixed(2)}
                      </text>
                    )}
                  </For>
                </g>
              )}
            </For>
          )}
        </For>
      </svg>
    </div>
  );
}
