import { For, type JSX } from "solid-js";
import { told } from "./compute/at.ts";
import type { Products } from "./compute/products.ts";
import { lights, lit } from "./lit.tsx";
import { messages as m } from "./messages.ts";

/** The first projection of a block, opened for one channel: which products make its number. */
export function Projection(props: { products: Products; width: number }): JSX.Element {
  const most = (): number => Math.max(...props.products.largest.map(({ product }) => Math.abs(product)), 1e-12);
  const totals = (): { id: string; name: string; value: number }[] => [
    { id: "largest", name: m().eight(props.products.largest.length), value: props.products.ofLargest },
    { id: "others", name: m().others(props.products.others), value: props.products.ofOthers },
    { id: "v", name: "v", value: props.products.sum },
  ];
  return (
    <section
      aria-label={m().opened}
      onPointerEnter={lights("v").onPointerEnter}
      onPointerLeave={lights("v").onPointerLeave}
    >
      <h3>{m().opened}</h3>
      <p class="note">{m().openedNote(props.width)}</p>
      <div class="scroll" tabIndex={0} role="group" aria-label={m().opened}>
        <table class="numbers products" data-testid="products">
          <thead>
            <tr>
              <th scope="col" class="number">
                {m().place}
              </th>
              <th scope="col" class="number">
                {m().weight}
              </th>
              <th scope="col" class="number">
                {m().normed}
              </th>
              <th scope="col" class="number">
                {m().product}
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            <For each={props.products.largest}>
              {({ i, weight, input, product }) => (
                <tr>
                  <th scope="row" class="number">
                    {i + 1}
                  </th>
                  <td class="number">{told(weight)}</td>
                  <td class="number">{told(input)}</td>
                  <td class="number">{told(product)}</td>
                  <td>
                    <span
                      class="signed"
                      classList={{ against: product < 0 }}
                      style={{ "--share": Math.abs(product) / most() }}
                    />
                  </td>
                </tr>
              )}
            </For>
          </tbody>
          <tfoot>
            <For each={totals()}>
              {({ id, name, value }) => (
                <tr classList={{ lit: id === "v" && lit() === "v" }}>
                  <th scope="row" class="number" colSpan={3}>
                    {name}
                  </th>
                  <td class="number" data-testid={`products-${id}`}>
                    {told(value)}
                  </td>
                  <td />
                </tr>
              )}
            </For>
          </tfoot>
        </table>
      </div>
    </section>
  );
}
