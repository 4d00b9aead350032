import { For, Show, type JSX } from "solid-js";
import { Panel } from "../../components/Page.tsx";
import { messages as m } from "./messages.ts";

/** Ages that get a row of their own. */
const SHOWN = 6;
const POWERS = ["CB̄", "CĀB̄", "CĀ²B̄", "CĀ³B̄", "CĀ⁴B̄", "CĀ⁵B̄"];

/** The sum of the convolution at one step, term by term. */
export function FilterNumbers(props: { k: number; filter: ArrayLike<number>; u: ArrayLike<number> }): JSX.Element {
  const ages = (): number[] => Array.from({ length: Math.min(SHOWN, props.k + 1) }, (_, age) => age);
  const term = (age: number): number => props.filter[age]! * props.u[props.k - age]!;
  const older = (): number => {
    let sum = 0;
    for (let age = SHOWN; age <= props.k; age++) sum += term(age);
    return sum;
  };
  const total = (): number => ages().reduce((sum, age) => sum + term(age), older());
  return (
    <Panel title={m().numbers} note={m().numbersNote}>
      <div class="scroll" tabIndex={0} role="group" aria-label={m().numbers}>
        <table data-testid="filter-numbers">
          <thead>
            <tr>
              <For each={[m().age, m().weight, m().weightValue, m().inputValue, m().productValue]}>
                {(name) => (
                  <th class="number" scope="col">
                    {name}
                  </th>
                )}
              </For>
            </tr>
          </thead>
          <tbody>
            <For each={ages()}>
              {(age) => (
                <tr>
                  <th class="number" scope="row">
                    {age}
                  </th>
                  <td class="number symbol">{POWERS[age]}</td>
                  <td class="number">{props.filter[age]!.toFixed(6)}</td>
                  <td class="number">{props.u[props.k - age]!.toFixed(6)}</td>
                  <td class="number">{term(age).toFixed(6)}</td>
                </tr>
              )}
            </For>
            <Show when={props.k >= SHOWN}>
              <tr>
                <th class="number" scope="row" colSpan={4}>
                  {m().older}
                </th>
                <td class="number">{older().toFixed(6)}</td>
              </tr>
            </Show>
            <tr>
              <th class="number" scope="row" colSpan={4}>
                {m().total}
              </th>
              <td class="number">
                <strong data-testid="filter-total">{total().toFixed(6)}</strong>
              </td>
            </tr>
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
