import { For, type JSX } from "solid-js";
import { Panel } from "../../components/Page.tsx";
import { messages as m } from "./messages.ts";

/** Which parameters of a layer have an axis for the token. */
export function Shapes(props: { dModel: number; dState: number; tokens: number }): JSX.Element {
  const d = (): number => 2 * props.dModel; // channels inside of a block
  const rows = (): { name: string; fixed: string; fixedCount: number; chosen: string; chosenCount: number }[] => {
    const [n, l] = [props.dState, props.tokens];
    return [
      { name: "A", fixed: "[d, n]", fixedCount: d() * n, chosen: "[d, n]", chosenCount: d() * n },
      { name: "B", fixed: "[d, n]", fixedCount: d() * n, chosen: "[l, n]", chosenCount: l * n },
      { name: "C", fixed: "[d, n]", fixedCount: d() * n, chosen: "[l, n]", chosenCount: l * n },
      { name: "Δ", fixed: "[d]", fixedCount: d(), chosen: "[l, d]", chosenCount: l * d() },
    ];
  };
  return (
    <Panel title={m().shapes} note={m().shapesNote(d(), props.dState, props.tokens)}>
      <div class="scroll" tabIndex={0} role="group" aria-label={m().shapes}>
        <table data-testid="static">
          <thead>
            <tr>
              <th scope="col">{m().parameter}</th>
              <th scope="col">{m().shapeOf("S4")}</th>
              <th class="number" scope="col">
                {m().numbersOf("S4")}
              </th>
              <th scope="col">{m().shapeOf("Mamba")}</th>
              <th class="number" scope="col">
                {m().numbersOf("Mamba")}
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={rows()}>
              {({ name, fixed, fixedCount, chosen, chosenCount }) => (
                <tr>
                  <th scope="row">{name}</th>
                  <td>
                    <code>{fixed}</code>
                  </td>
                  <td class="number">{fixedCount}</td>
                  <td>
                    <code>{chosen}</code>
                  </td>
                  <td class="number">{chosenCount}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
