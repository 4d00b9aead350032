import { For, Show, type JSX } from "solid-js";
import { HeatMap, largest } from "../../components/HeatMap.tsx";
import type { Glances } from "./compute/glance.ts";
import { learner } from "./learner.ts";
import { messages as m } from "./messages.ts";

/** A small picture of each block that changes while it learns: a row a moment, a column a token of the same sentence. */
export function Thumbnails(): JSX.Element {
  const seen = (): Glances | undefined => {
    const known = learner.history()?.glances;
    return known !== undefined && known.layers.length > 0 && known.moments.length > 0 ? known : undefined;
  };
  return (
    <Show when={seen()}>
      {(glances) => {
        const cols = (): number => glances().tokens.length;
        const limit = (): number => Math.max(...glances().moments.map(({ delta }) => largest(delta)), 1e-12);
        const valuesOf = (i: number): Float32Array =>
          Float32Array.from(
            glances().moments.flatMap(({ delta }) => Array.from(delta.subarray(i * cols(), (i + 1) * cols()))),
          );
        return (
          <div data-testid="own-thumbnails">
            <h3>{m().thumbnails}</h3>
            <p class="note">{m().thumbnailsNote}</p>
            <p class="own-sentence" data-token>
              {glances().tokens.join("")}
            </p>
            <div class="split">
              <For each={glances().layers}>
                {(layer, i) => (
                  <figure class="figure">
                    <figcaption>{m().thumbnail(layer + 1)}</figcaption>
                    <HeatMap
                      label={m().thumbnail(layer + 1)}
                      rows={glances().moments.length}
                      cols={cols()}
                      values={valuesOf(i())}
                      limit={limit()}
                      height={`${14 * glances().moments.length}px`}
                    />
                  </figure>
                )}
              </For>
            </div>
          </div>
        );
      }}
    </Show>
  );
}
