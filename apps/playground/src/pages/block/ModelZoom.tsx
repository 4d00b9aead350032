import { For, type JSX } from "solid-js";
import type { Reading } from "./compute/blockApi.ts";
import { told } from "./compute/at.ts";
import { shownToken } from "./token.ts";
import { messages as m } from "./messages.ts";

/** All blocks at one token: the stream, what each adds, and what comes of it. */
export function ModelZoom(props: {
  reading: Reading;
  t: number;
  layer: number;
  choose: (layer: number) => void;
}): JSX.Element {
  const l = (): number => props.reading.tokens.length;
  const stream = (at: number): number => props.reading.stream[at * l() + props.t]!;
  const added = (at: number): number => props.reading.added[at * l() + props.t]!;
  const most = (): number =>
    Math.max(
      ...Array.from({ length: props.reading.layers + 1 }, (_, at) => stream(at)),
      ...Array.from({ length: props.reading.layers }, (_, at) => added(at)),
    );
  const width = (value: number): string => `${(100 * value) / most()}%`;
  return (
    <div class="split">
      <ol class="tower" data-testid="tower">
        <li>
          <span>{m().embedding}</span>
          <span class="bar stream" style={{ width: width(stream(0)) }} />
          <output>{told(stream(0))}</output>
        </li>
        <For each={Array.from({ length: props.reading.layers }, (_, at) => at)}>
          {(at) => (
            <li>
              <button type="button" aria-pressed={props.layer === at} onClick={() => props.choose(at)}>
                {m().adds(at + 1)}
              </button>
              <span class="bar" style={{ width: width(added(at)) }} />
              <output data-testid={`added-${at + 1}`}>{told(added(at))}</output>
            </li>
          )}
        </For>
        <li>
          <span>{m().streamAfter}</span>
          <span class="bar stream" style={{ width: width(stream(props.reading.layers)) }} />
          <output>{told(stream(props.reading.layers))}</output>
        </li>
      </ol>
      <div>
        <h3>{m().expects}</h3>
        <ol class="tower" data-testid="expected">
          <For each={props.reading.next[props.t] ?? []}>
            {({ text, probability }) => (
              <li>
                <code data-token>{shownToken(text)}</code>
                <span class="bar" style={{ width: `${100 * probability}%` }} />
                <output>{(100 * probability).toFixed(1)} %</output>
              </li>
            )}
          </For>
        </ol>
      </div>
    </div>
  );
}
