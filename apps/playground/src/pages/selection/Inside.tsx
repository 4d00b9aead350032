import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import { Choice, Stat } from "../../components/controls.tsx";
import { DataTable } from "../../components/DataTable.tsx";
import { HeatMap } from "../../components/HeatMap.tsx";
import { Panel } from "../../components/Page.tsx";
import type { LayerView } from "./compute/inspect.ts";
import { askedShare } from "./compute/reading.ts";
import { messages as m } from "./messages.ts";
import type { Racer } from "./racer.ts";
import { letterName, PLACE, type Letter } from "./sequence.ts";
import { Bars } from "./Strip.tsx";

interface Places {
  readonly letters: readonly Letter[];
  readonly seqLen: number;
  readonly nTokens: number;
}

/** Colours of the bars: a letter's own, grey for noise. */
const barColors = ({ letters, seqLen, nTokens }: Places): (string | undefined)[] => {
  const colors: (string | undefined)[] = Array.from({ length: seqLen + nTokens }, () => undefined);
  for (const { place, token } of letters) colors[place] = `var(--token-${token})`;
  return colors;
};

/** From which places each of a model's answers came, and the answers. */
export function Memory(props: { racer: Racer } & Places): JSX.Element {
  const view = (): ReturnType<Racer["contender"]["view"]> => props.racer.contender.view();
  const length = (): number => props.seqLen + props.nTokens;
  const rows = createMemo<Float64Array | undefined>(() => {
    const answers = view()?.answers;
    if (answers === undefined || answers.some(({ parts }) => parts === undefined)) return undefined;
    const values = new Float64Array(answers.length * length());
    answers.forEach(({ parts }, row) => values.set(parts!.subarray(0, length()), row * length()));
    return values;
  });
  const share = (): number => askedShare(view()?.answers ?? [], props.letters, props.seqLen);
  return (
    <Show when={view()}>
      {(seen) => (
        <div class="memory">
          <Show when={rows()} fallback={<p class="note">{m().noParts(props.racer.name())}</p>}>
            {(values) => (
              <>
                <div class="caption">
                  <span style={{ color: `var(--${props.racer.tone})` }}>{m().reads(props.racer.name())}</span>
                  <strong data-testid={`share-${props.racer.id}`}>
                    {(100 * share()).toFixed(0)} % {m().share(props.seqLen)}
                  </strong>
                </div>
                <HeatMap
                  label={m().reads(props.racer.name())}
                  rows={props.nTokens}
                  cols={length()}
                  values={values()}
                  signed
                  height={`${22 * props.nTokens}px`}
                />
              </>
            )}
          </Show>
          <div class="answers" data-testid={`answers-${props.racer.id}`}>
            <span class="quiet">{m().answers(props.racer.name())}:</span>
            <For each={seen().answers}>
              {({ token, probability }, i) => {
                const right = (): boolean => token === props.letters[i()]?.token;
                const name = token >= 1 && token <= 8 ? letterName(token) : "–";
                return (
                  <span class="answer" classList={{ right: right(), wrong: !right() }}>
                    <b style={{ color: `var(--token-${Math.max(1, Math.min(8, token))})` }}>{name}</b>{" "}
                    {right() ? "✓" : "✗"} <small>{(100 * probability).toFixed(0)} %</small>
                  </span>
                );
              }}
            </For>
          </div>
        </div>
      )}
    </Show>
  );
}

/** delta, B and C of one layer of one model, one column a token. */
export function Inside(props: { racers: readonly Racer[] } & Places): JSX.Element {
  const [who, setWho] = createSignal("mamba");
  const [layer, setLayer] = createSignal("1");
  const seen = (): ReturnType<Racer["contender"]["view"]> =>
    props.racers.find(({ id }) => id === who())?.contender.view();
  const view = createMemo<LayerView | undefined>(() => seen()?.layers[Number(layer())]);
  const length = (): number => props.seqLen + props.nTokens;
  const map = (): Float32Array | undefined => seen()?.maps[Number(layer())];
  return (
    <Panel title={m().inside} note={m().insideNote}>
      <div class="row">
        <Choice
          label={m().whose}
          value={who()}
          onChange={setWho}
          testid="whose"
          options={props.racers.map(({ id, name }) => ({ value: id, label: name() }))}
        />
        <Choice
          label={m().layer}
          value={layer()}
          onChange={setLayer}
          options={["0", "1"].map((value) => ({ value, label: m().layers(Number(value) + 1) }))}
        />
      </div>
      <Show when={view()}>
        {(shown) => (
          <div class="stats">
            <Stat
              label={m().deltaAt.letters}
              value={meanDelta(shown(), props, true).toPrecision(3)}
              testid="delta-letters"
            />
            <Stat
              label={m().deltaAt.noise}
              value={meanDelta(shown(), props, false).toPrecision(3)}
              testid="delta-noise"
            />
          </div>
        )}
      </Show>
      <Show
        when={view()}
        fallback={
          <Show when={map()} fallback={<p class="note">{seen() ? m().nothingSelected : m().untrained}</p>}>
            {(values) => (
              <>
                <p class="note">{m().attentionNote}</p>
                <div class="looks" data-testid="attention-map">
                  <HeatMap
                    label={m().attentionMap(Number(layer()) + 1)}
                    rows={length()}
                    cols={length()}
                    values={values()}
                    tone="attention"
                    square
                  />
                </div>
              </>
            )}
          </Show>
        }
      >
        {(shown) => (
          <div class="lane" tabIndex={0} role="group" aria-label={m().inside}>
            <div class="maps" style={{ "min-width": `${PLACE * length()}px` }}>
              <Letters {...props} />
              <For each={["delta", "B", "C"] as const}>
                {(name) => (
                  <figure class="figure">
                    <HeatMap
                      label={m().maps[name]}
                      rows={name === "delta" ? shown().d : shown().n}
                      cols={length()}
                      values={transposed(shown()[name], length(), name === "delta" ? shown().d : shown().n)}
                      signed={name !== "delta"}
                      height={name === "delta" ? "150px" : "76px"}
                    />
                    <figcaption>{m().maps[name]}</figcaption>
                  </figure>
                )}
              </For>
              <figure class="figure">
                <Bars
                  label={m().written}
                  values={shown().written}
                  length={length()}
                  tone="quiet"
                  colors={barColors(props)}
                />
                <figcaption>{m().written}</figcaption>
                <DataTable
                  label={m().written}
                  columns={[
                    { label: m().place, values: Array.from({ length: length() }, (_, i) => i + 1) },
                    { label: m().written, values: shown().written },
                  ]}
                />
              </figure>
            </div>
          </div>
        )}
      </Show>
    </Panel>
  );
}

/** The mean step over all channels, at the letters or at the noise. */
function meanDelta({ d, delta }: LayerView, { letters, seqLen }: Places, atLetters: boolean): number {
  const at = new Set(letters.map(({ place }) => place));
  const places = Array.from({ length: seqLen }, (_, i) => i).filter((i) => at.has(i) === atLetters);
  let sum = 0;
  for (const place of places) for (let c = 0; c < d; c++) sum += delta[place * d + c]!;
  return sum / (places.length * d);
}

/** The sequence once more, so that columns can be told apart. */
function Letters(props: Places): JSX.Element {
  const at = (place: number): Letter | undefined => props.letters.find((letter) => letter.place === place);
  return (
    <div class="strip small" aria-hidden="true">
      <For each={Array.from({ length: props.seqLen + props.nTokens }, (_, i) => i)}>
        {(i) => (
          <span
            class="place"
            classList={{ letter: at(i) !== undefined, question: i >= props.seqLen }}
            style={at(i) ? { "--tone": `var(--token-${at(i)!.token})` } : {}}
          >
            {i >= props.seqLen ? "?" : at(i) ? letterName(at(i)!.token) : "·"}
          </span>
        )}
      </For>
    </div>
  );
}

/** [l, d] to [d, l], so that time runs to the right. */
function transposed(values: ArrayLike<number>, l: number, d: number): Float32Array {
  return Float32Array.from({ length: l * d }, (_, i) => values[(i % l) * d + Math.floor(i / l)]!);
}
