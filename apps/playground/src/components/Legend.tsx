import { For, Show, type JSX } from "solid-js";
import type { Line } from "./line.ts";
import { shownNumber } from "./DataTable.tsx";
import { BROAD, isOpen, markerPath, seriesStyle } from "./seriesStyle.ts";

/** The series of a plot as they are drawn, and their values where the pointer is. */
export function Legend(props: {
  lines: readonly Line[];
  xLabel: string;
  /** The pointer's place on the x axis, and the point there. */
  at: { readonly x: number; readonly index: number } | undefined;
}): JSX.Element {
  return (
    <ul class="legend">
      <For each={props.lines}>
        {(line) => (
          <li>
            <Swatch line={line} />
            <span>{line.label}</span>
            <Show when={props.at}>{(at) => <output>{shownNumber(line.values[at().index])}</output>}</Show>
          </li>
        )}
      </For>
      <Show when={props.at}>
        {(at) => (
          <li class="quiet">
            {props.xLabel} {shownNumber(at().x)}
          </li>
        )}
      </Show>
    </ul>
  );
}

function Swatch(props: { line: Line }): JSX.Element {
  const style = (): ReturnType<typeof seriesStyle> => seriesStyle(props.line.tone);
  const stroke = (): string => `var(--${props.line.tone})`;
  return (
    <svg viewBox="0 0 34 14" width="34" height="14" aria-hidden="true">
      <Show
        when={props.line.shape !== "bars"}
        fallback={<path d="M5 14V4h6v10M14 14V0h6v14M23 14V7h6v7" fill={stroke()} />}
      >
        <Show when={props.line.width !== 0}>
          <path
            d="M0 7H34"
            stroke={stroke()}
            stroke-width={Math.min(5, props.line.width ?? 2)}
            stroke-dasharray={(props.line.width ?? 2) >= BROAD ? undefined : style().dash.join(" ")}
          />
        </Show>
        <Show when={(props.line.width ?? 2) < BROAD}>
          <path
            d={markerPath(style().marker, 4)}
            transform="translate(17 7)"
            stroke={stroke()}
            stroke-width="2"
            fill={isOpen(style().marker) ? "none" : stroke()}
          />
        </Show>
      </Show>
    </svg>
  );
}
