import { For, Show, type JSX } from "solid-js";
import { shownNumber } from "./DataTable.tsx";

/** A small matrix as a table: each number stands in its cell, and the cell's tint says how large it is. */
export function NumberGrid(props: {
  label: string;
  rows: readonly string[];
  columns: readonly string[];
  /** What stands where; undefined leaves the cell empty. */
  value: (row: number, column: number) => number | undefined;
  show?: (value: number) => string;
  /** Value of the full tint; the largest by default. */
  limit?: number;
  tone?: string;
  /** A row to stand out. */
  marked?: number;
  /** Cells that are framed, beside their tint. */
  framed?: (row: number, column: number) => boolean;
  testid?: string;
}): JSX.Element {
  const full = (): number => {
    if (props.limit !== undefined) return props.limit;
    const all = props.rows.flatMap((_, row) =>
      props.columns.map((_, column) => Math.abs(props.value(row, column) ?? 0)),
    );
    return Math.max(...all, 0) || 1;
  };
  const tint = (value: number): string => {
    // no more than a third of the colour, so that the number stays readable on it
    const share = 34 * Math.min(1, Math.abs(value) / full());
    const tone = value < 0 ? "heat-negative" : (props.tone ?? "heat-positive");
    return `color-mix(in srgb, var(--${tone}) ${share.toFixed(1)}%, var(--surface))`;
  };
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={props.label}>
      <table class="grid" aria-label={props.label} data-testid={props.testid}>
        <thead>
          <tr>
            <td />
            <For each={props.columns}>{(column) => <th scope="col">{column}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={props.rows}>
            {(name, row) => (
              <tr classList={{ marked: row() === props.marked }}>
                <th scope="row">{name}</th>
                <For each={props.columns}>
                  {(_, column) => {
                    const value = (): number | undefined => props.value(row(), column());
                    return (
                      <Show when={value() !== undefined} fallback={<td class="none" />}>
                        <td
                          style={{ background: tint(value()!) }}
                          classList={{ framed: props.framed?.(row(), column()) }}
                        >
                          {(props.show ?? shownNumber)(value()!)}
                        </td>
                      </Show>
                    );
                  }}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}
