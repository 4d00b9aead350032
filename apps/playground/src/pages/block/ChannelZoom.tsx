import { For, type JSX } from "solid-js";
import { told, numbersAt, type Numbers } from "./compute/at.ts";
import type { LayerTrace } from "./compute/trace.ts";
import { lights, lit, type Part } from "./lit.tsx";
import { messages as m } from "./messages.ts";

/** One channel's state at one token, a row each number. */
export function ChannelZoom(props: {
  trace: LayerTrace;
  states: readonly Float64Array[];
  t: number;
  c: number;
  s: number;
  choose: (s: number) => void;
}): JSX.Element {
  const rows = (): Numbers[] =>
    Array.from({ length: props.trace.n }, (_, s) => numbersAt(props.trace, props.states, props.t, props.c, s));
  const columns = (): { part: Part | undefined; name: string; value: (row: Numbers) => number }[] => [
    { part: "ABar", name: "Ā = exp(Δ A)", value: ({ ABar }) => ABar },
    { part: undefined, name: m().before, value: ({ before }) => before },
    { part: "ABar", name: m().keeps, value: ({ kept }) => kept },
    { part: "B", name: "B", value: ({ B }) => B },
    { part: "B", name: m().writes, value: ({ written }) => written },
    { part: "x", name: m().after, value: ({ x }) => x },
    { part: "C", name: "C", value: ({ C }) => C },
    { part: "C", name: m().reads, value: ({ C, x }) => C * x },
  ];
  const one = (): Numbers => rows()[0]!;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={m().zooms.channel}>
      <table data-testid="channel" class="numbers">
        <thead>
          <tr>
            <th scope="col" class="number">
              {m().stateAxis}
            </th>
            <For each={columns()}>
              {({ name, part }) => (
                <th scope="col" class="number" classList={{ lit: part !== undefined && lit() === part }}>
                  {name}
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={rows()}>
            {(row, s) => (
              <tr classList={{ marked: s() === props.s }}>
                <th scope="row" class="number">
                  <button type="button" class="link" onClick={() => props.choose(s())}>
                    {s() + 1}
                  </button>
                </th>
                <For each={columns()}>
                  {({ value, part }) => (
                    <td
                      class="number"
                      classList={{ lit: part !== undefined && lit() === part }}
                      onPointerEnter={(event) => part && lights(part).onPointerEnter(event)}
                      onPointerLeave={() => part && lights(part).onPointerLeave()}
                    >
                      {told(value(row))}
                    </td>
                  )}
                </For>
              </tr>
            )}
          </For>
        </tbody>
        <tfoot>
          <For
            each={[
              { name: m().sum, value: one().read, id: "sum" },
              { name: m().direct, value: one().D * one().u, id: "direct" },
              { name: m().output, value: one().y, id: "y" },
            ]}
          >
            {({ name, value, id }) => (
              <tr>
                <th scope="row" class="number" colSpan={8}>
                  {name}
                </th>
                <td class="number" data-testid={`channel-${id}`}>
                  {told(value)}
                </td>
              </tr>
            )}
          </For>
        </tfoot>
      </table>
    </div>
  );
}
