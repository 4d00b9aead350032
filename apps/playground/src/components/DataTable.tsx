import { createSignal, createUniqueId, For, Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";

export interface Column {
  readonly label: string;
  readonly values: ArrayLike<number | null>;
}

/** Rows of a table that are read, not scrolled through for ever; longer data is thinned evenly, its last row kept. */
const MOST_ROWS = 64;

export function rowsShown(count: number): number[] {
  if (count <= MOST_ROWS) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: MOST_ROWS }, (_, i) => Math.round((i * (count - 1)) / (MOST_ROWS - 1)));
}

/** A number as tables and legends show it. */
export function shownNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e7) ? value.toExponential(3) : String(+value.toPrecision(5));
}

/** What a figure shows, in numbers; made when it is asked for. */
export function DataTable(props: { label: string; columns: readonly Column[] }): JSX.Element {
  const [open, setOpen] = createSignal(false);
  const id = createUniqueId();
  const count = (): number => Math.max(0, ...props.columns.map(({ values }) => values.length));
  return (
    <div class="as-table">
      <button
        type="button"
        class="link"
        aria-expanded={open()}
        aria-controls={id}
        aria-label={`${shell().asTable}${shell().colon}${props.label}`}
        onClick={() => setOpen(!open())}
      >
        {shell().asTable}
      </button>
      <div id={id}>
        <Show when={open()}>
          <div class="scroll tall" tabIndex={0} role="group" aria-label={props.label}>
            <table>
              <thead>
                <tr>
                  <For each={props.columns}>
                    {({ label }) => (
                      <th class="number" scope="col">
                        {label}
                      </th>
                    )}
                  </For>
                </tr>
              </thead>
              <tbody>
                <For each={rowsShown(count())}>
                  {(row) => (
                    <tr>
                      <For each={props.columns}>
                        {({ values }) => <td class="number">{shownNumber(values[row])}</td>}
                      </For>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
          <Show when={count() > MOST_ROWS}>
            <p class="note">{shell().thinned(MOST_ROWS, count())}</p>
          </Show>
        </Show>
      </div>
    </div>
  );
}
