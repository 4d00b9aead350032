import { For, type JSX } from "solid-js";
import { shell } from "../../shell/shellMessages.ts";
import { finalAt, mergedInto, type Round, type Step } from "./compute/rounds.ts";

export interface ScanPictureProps {
  history: readonly (readonly Step[])[];
  rounds: readonly Round[];
  shown: number;
  label: string;
  phase: (round: Round) => string;
}

const [WIDTH, GUTTER, ROW] = [320, 20, 30];

/**
 * The picture for a phone held upright: rounds from top to bottom as there, but elements are squares without their numbers, so that all of
 * them are as wide as the screen. The numbers after the round that is shown stand below.
 */
export function ScanUpright(props: ScanPictureProps): JSX.Element {
  const l = (): number => props.history[0]!.length;
  const column = (): number => (WIDTH - GUTTER) / l();
  const x = (i: number): number => GUTTER + column() * (i + 0.5);
  const y = (row: number): number => ROW * (row + 0.5);
  const side = (): number => Math.min(16, column() - 2);
  const last = (): number => Math.min(props.shown, props.history.length - 1);
  const standing = (): string => {
    const round = props.rounds[last() - 1];
    return round === undefined ? props.label : `${props.label}${shell().colon}${props.phase(round)}`;
  };
  return (
    <>
      <div class="lane stays" tabIndex={0} role="group" aria-label={props.label}>
        <svg
          viewBox={`0 0 ${WIDTH} ${ROW * props.history.length}`}
          role="img"
          aria-label={props.label}
          style={{ width: "100%" }}
        >
          <For each={props.rounds.slice(0, props.shown)}>
            {(round, row) => (
              <g>
                <path
                  d={round.pairs
                    .map(
                      ({ from, to }) =>
                        `M${x(from)} ${y(row())}L${x(to)} ${y(row() + 1)}M${x(to)} ${y(row())}V${y(row() + 1)}`,
                    )
                    .join("")}
                  stroke="var(--s4)"
                  stroke-width="1.6"
                  fill="none"
                />
                <text x="0" y={y(row() + 1) + 4}>
                  {row() + 1}
                </text>
              </g>
            )}
          </For>
          <For each={props.history.slice(0, props.shown + 1)}>
            {(elements, row) => (
              <For each={elements}>
                {(_, i) => (
                  <rect
                    x={x(i()) - side() / 2}
                    y={y(row()) - side() / 2}
                    width={side()}
                    height={side()}
                    rx="3"
                    fill={finalAt(props.history, row(), i()) ? "var(--accent)" : "var(--surface)"}
                    stroke={mergedInto(props.rounds, row(), i()) ? "var(--s4)" : "var(--line)"}
                    stroke-width="1.5"
                  />
                )}
              </For>
            )}
          </For>
        </svg>
      </div>
      <p class="note">{standing()}</p>
      <ol class="elements" data-testid="elements">
        <For each={props.history[last()]}>
          {({ a, b }, i) => (
            <li classList={{ final: finalAt(props.history, last(), i()) }}>
              a {a.toFixed(2)}
              <br />
              {b.toFixed(2)}
            </li>
          )}
        </For>
      </ol>
    </>
  );
}
