import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Slider } from "../../components/controls.tsx";
import { HeatMap } from "../../components/HeatMap.tsx";
import { Failure } from "../../components/Failure.tsx";
import { Panel } from "../../components/Page.tsx";
import { number, text } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { useLatest } from "../../workers/latest.ts";
import { surpriseCode } from "./code.ts";
import type { Drawing } from "./compute/chances.ts";
import type { Chances, Look } from "./compute/looking.ts";
import { DrawingSliders, useDrawing } from "./Drawing.tsx";
import { messages as m } from "./messages.ts";
import type { Writer } from "./writer.ts";

/** A space is a token's most common first letter, and must be seen. */
const shown = (token: string): string => token.replaceAll(" ", "␣").replaceAll("\n", "⏎");

/** What the model makes of a text, token by token: what it expected, how surprised it was, how long each layer looked, and what reads what. */
export function Microscope(props: { writer: Writer }): JSX.Element {
  const [words, setWords] = useParam("look", m().lookDefault, text);
  const [layer, setLayer] = useParam("layer", 1, number(1, 512, 1));
  const [at, setAt] = createSignal(0);
  const input = createMemo(() => ({ text: words(), facts: props.writer.facts() }));
  const look = useLatest(input, async ({ text: from, facts }) =>
    facts === undefined || from === "" ? undefined : props.writer.look(from),
  );
  const last = (): number => (look.value()?.tokens.length ?? 1) - 1;
  createEffect(on(look.value, () => setAt(last())));
  const readable = (): readonly number[] => look.value()?.readable ?? [];
  const selected = (): number => Math.max(0, Math.min(at(), last()));
  const reads = useLatest(
    createMemo(() => ({ from: words(), layer: readable()[Math.min(layer(), readable().length) - 1] })),
    async ({ from, layer: which }) => (which === undefined ? undefined : props.writer.reads(from, which)),
  );
  return (
    <Show when={props.writer.facts()}>
      <Panel title={m().microscope} note={m().microscopeNote}>
        <label class="grow">
          {m().lookText}
          <input
            type="text"
            value={words()}
            onInput={(event) => setWords(event.currentTarget.value)}
            data-testid="look"
          />
        </label>
        <Show when={look.error()}>{(error) => <Failure error={error()} again={look.again} />}</Show>
        <Show when={look.value()}>
          {(seen) => (
            <>
              <Chips look={seen()} at={selected()} choose={setAt} />
              <Show when={seen().cut}>
                <p class="note">{m().lookCut(seen().tokens.length)}</p>
              </Show>
              <Candidates
                look={seen()}
                at={selected()}
                chances={(place, how) => props.writer.chances(words(), place, how)}
                take={(candidate) =>
                  setWords(
                    seen()
                      .tokens.slice(0, selected() + 1)
                      .join("") + candidate,
                  )
                }
              />
              <Show when={seen().tokens.length > 1}>
                <CodeBeside of={surpriseCode(seen().tokens, seen().surprise)} />
              </Show>
              <Show when={seen().layers.length > 0}>
                <h3>{m().deltas}</h3>
                <p class="note">{m().deltasNote}</p>
                <HeatMap
                  label={m().deltas}
                  rows={seen().layers.length}
                  cols={seen().tokens.length}
                  values={seen().delta}
                  height={`${22 * seen().layers.length}px`}
                />
              </Show>
              <Show when={seen().readable.length > 0}>
                <h3>{m().reading}</h3>
                <p class="note">{m().readingNote}</p>
                <Slider
                  label={m().layer}
                  value={Math.min(layer(), seen().readable.length)}
                  min={1}
                  max={seen().readable.length}
                  step={1}
                  onInput={setLayer}
                  testid="reading-layer"
                />
                <Show when={reads.value()}>
                  {(values) => (
                    <HeatMap
                      label={m().reading}
                      rows={seen().tokens.length}
                      cols={values().length / seen().tokens.length}
                      values={values()}
                      height={`${12 * seen().tokens.length}px`}
                    />
                  )}
                </Show>
              </Show>
            </>
          )}
        </Show>
      </Panel>
    </Show>
  );
}

/** The tokens; the redder, the less the model had expected one. */
function Chips(props: { look: Look; at: number; choose: (at: number) => void }): JSX.Element {
  const strength = (bits: number | undefined): string => `${Math.round(Math.min(bits ?? 0, 16) * 5)}%`;
  return (
    <div class="chips" role="group" aria-label={m().lookTokens} data-testid="chips">
      <For each={props.look.tokens}>
        {(token, i) => {
          const bits = (): number | undefined => props.look.surprise[i()];
          return (
            <button
              type="button"
              class="chip"
              aria-pressed={props.at === i()}
              style={{ "--surprise": strength(bits()) }}
              onClick={() => props.choose(i())}
            >
              {shown(token)}
              <small>{bits() === undefined ? "–" : m().bits(bits()!.toFixed(1))}</small>
            </button>
          );
        }}
      </For>
    </div>
  );
}

/** What the model expected after a token, and with which chance each would be drawn; each can be taken, which ends the text there. */
function Candidates(props: {
  look: Look;
  at: number;
  chances: (at: number, drawing: Drawing) => Promise<Chances>;
  take: (text: string) => void;
}): JSX.Element {
  const drawing = useDrawing();
  const asked = createMemo(() => ({ look: props.look, at: props.at, drawing: drawing.value() }));
  const drawn = useLatest(asked, async ({ look, at, drawing: how }) => ({
    look,
    at,
    ...(await props.chances(at, how)),
  }));
  /** Those of what is shown; the ones before stay until then, unless they are of another token. */
  const told = (): Chances | undefined => {
    const known = drawn.value();
    return known?.look === props.look && known.at === props.at ? known : undefined;
  };
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    <>
      <h3>{m().expected(shown(props.look.tokens[props.at] ?? ""))}</h3>
      <p class="note">{m().drawnNote}</p>
      <div class="row">
        <DrawingSliders of={drawing} at="look" />
      </div>
      <Show when={drawn.error()}>{(error) => <Failure error={error()} again={drawn.again} />}</Show>
      <div class="scroll" tabIndex={0} role="group" aria-label={m().expected(shown(props.look.tokens[props.at] ?? ""))}>
        <table class="candidates" data-testid="candidates">
          <thead>
            <tr>
              <th scope="col">{m().nextToken}</th>
              <th scope="col" class="number">
                {m().expectsIt}
              </th>
              <th scope="col" class="number">
                {m().drawsIt}
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            <For each={props.look.next[props.at] ?? []}>
              {({ text: token, probability }, i) => {
                const chance = (): number | undefined => told()?.chances[i()];
                return (
                  <tr classList={{ out: chance() === 0 }}>
                    <th scope="row">
                      <button type="button" class="link" onClick={() => props.take(token)}>
                        {shown(token)}
                      </button>
                    </th>
                    <td class="number" data-expected>
                      {percent(probability)}
                    </td>
                    <td class="number" data-chance>
                      {chance() === undefined ? "" : percent(chance()!)}
                    </td>
                    <td class="chance-bars">
                      <span class="share expected" style={{ width: `${100 * probability}%` }} />
                      <span class="share" style={{ width: `${100 * (chance() ?? 0)}%` }} />
                    </td>
                  </tr>
                );
              }}
            </For>
          </tbody>
        </table>
      </div>
      <Show when={told()}>
        {(all) => (
          <p class="quiet" data-testid="drawable">
            {m().drawable(all().drawable, all().vocabulary)}
          </p>
        )}
      </Show>
    </>
  );
}
