import { For, type JSX } from "solid-js";
import { Panel } from "../../components/Page.tsx";
import { lettersOf, notation } from "../../shell/notation.ts";
import { messages as m } from "./messages.ts";

/** The same things by the letters of different texts. */
export function Dictionary(): JSX.Element {
  const rows = (): readonly (readonly [string, string, string, string, string])[] => [
    [m().dictionary.state, lettersOf(notation()).x, "x", "h", "state"],
    [m().dictionary.input, lettersOf(notation()).u, "u", "x", "u"],
    [m().dictionary.output, "y", "y", "y", "output, y"],
    [m().dictionary.matrices, "A, B, C, D", "A, B, C, D", "A, B, C, D", "A, B, C, D"],
    [m().dictionary.discrete, "Ā, B̄", "Ā, B̄", "Ā, B̄", "ABar, BBar"],
    [m().dictionary.step, "Δ", "Δ", "Δ", "delta"],
  ];
  return (
    <Panel title={m().dictionary.title} note={m().dictionary.note}>
      <div class="scroll" tabIndex={0} role="group" aria-label={m().dictionary.title}>
        <table data-testid="dictionary">
          <thead>
            <tr>
              <For
                each={[
                  m().dictionary.meaning,
                  m().dictionary.here,
                  m().dictionary.control,
                  m().dictionary.mamba,
                  m().dictionary.code,
                ]}
              >
                {(title) => <th scope="col">{title}</th>}
              </For>
            </tr>
          </thead>
          <tbody>
            <For each={rows()}>
              {([meaning, here, control, mamba, code]) => (
                <tr>
                  <th scope="row">{meaning}</th>
                  <td class="symbol">
                    <strong>{here}</strong>
                  </td>
                  <td class="symbol">{control}</td>
                  <td class="symbol">{mamba}</td>
                  <td>
                    <code>{code}</code>
                  </td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
