import { CodeBeside } from "../../code/CodeBeside.tsx";
import {
  batch,
  createEffect,
  createMemo,
  createSignal,
  For,
  Match,
  on,
  onCleanup,
  Show,
  Switch,
  untrack,
  type JSX,
} from "solid-js";
import { Button, Choice, Progress, Slider } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { bundledAddress } from "../../shell/bundled.ts";
import { choice, number, text } from "../../shell/codecs.ts";
import { language, type Language } from "../../shell/language.ts";
import { useOwnModels } from "../../shell/ownModels.ts";
import { params, useParam } from "../../shell/route.ts";
import { STEP } from "../../story/tell.ts";
import { engine } from "../../workers/engine.ts";
import { useLatest } from "../../workers/latest.ts";
import { stepCode } from "./code.ts";
import { BlockZoom } from "./BlockZoom.tsx";
import { ChannelZoom } from "./ChannelZoom.tsx";
import { CACHE, OWN_MODELS, type ModelChoice } from "../../workers/modelChoice.ts";
import { numbersAt, type Numbers } from "./compute/at.ts";
import { productsOf } from "./compute/products.ts";
import type { Reading, Sizes } from "./compute/blockApi.ts";
import { scanChannel, type LayerTrace } from "./compute/trace.ts";
import { Equation } from "./Equation.tsx";
import { messages as m } from "./messages.ts";
import { ModelZoom } from "./ModelZoom.tsx";
import { Projection } from "./Projection.tsx";
import { StateZoom } from "./StateZoom.tsx";
import "./style.css";
import { shownToken } from "./token.ts";

const ZOOMS = ["model", "block", "channel", "state"] as const;
type Zoom = (typeof ZOOMS)[number];
const MODELS = ["bundled", ...OWN_MODELS] as const;
type WhichModel = (typeof MODELS)[number];

/** Products of a projection that are shown one by one. */
const LARGEST = 8;

/** Of the models that come with the site, until one is loaded. */
const SIZES: Readonly<Record<Language, Sizes>> = {
  en: { layers: 7, channels: 512, states: 16 },
  zh: { layers: 3, channels: 160, states: 16 },
};

/** A text read through all layers, and one layer of it. */
interface Followed {
  readonly reading: Reading;
  readonly trace: LayerTrace;
}

export function BlockPage(): JSX.Element {
  const remote = engine("block");
  onCleanup(() => remote.close());
  const [said, setSaid] = useParam("say", "", text);
  const [t, setT] = useParam("t", 4, number(1, 64, 1));
  const [layerAsked, setLayer] = useParam("layer", 4, number(1, 256, 1));
  const [channelAsked, setChannel] = useParam("channel", 12, number(1, 32768, 1));
  const [stateAsked, setState] = useParam("n", 1, number(1, 256, 1));
  const [model, setModel] = useParam<WhichModel>("model", "bundled", choice(...MODELS));
  const own = useOwnModels();
  const [loadedSizes, setSizes] = createSignal<Sizes>();
  const sizes = (): Sizes => loadedSizes() ?? SIZES[language()];
  const layer = (): number => Math.min(layerAsked(), sizes().layers);
  // what is shown may still be of the model before
  const channel = (): number =>
    Math.min(channelAsked(), sizes().channels, followed.value()?.trace.d ?? Number.POSITIVE_INFINITY);
  const state = (): number =>
    Math.min(stateAsked(), sizes().states, followed.value()?.trace.n ?? Number.POSITIVE_INFINITY);
  const [zoom, setZoom] = useParam<Zoom>("zoom", "block", choice(...ZOOMS));
  const sentence = (): string => (said() === "" ? m().said : said());

  const [loading, setLoading] = createSignal<{ file: string; loaded: number; total: number | undefined }>();
  const [ready, setReady] = createSignal<number>();
  const [error, setError] = createSignal<unknown>();
  const wanted = (): ModelChoice => {
    const which = model();
    return which === "bundled" ? { kind: "url", url: bundledAddress() } : { kind: "own", which };
  };
  let loads = 0;
  async function load(): Promise<void> {
    const own = ++loads;
    setError(undefined);
    setReady(undefined);
    setLoading({ file: "config.json", loaded: 0, total: undefined });
    try {
      const found = await remote.call("load", wanted(), { onEvent: setLoading });
      if (own !== loads) return;
      batch(() => {
        setSizes(found);
        setReady(own);
      });
    } catch (failure) {
      if (own === loads && (failure as Error).name !== "AbortedError") setError(failure);
    }
    if (own === loads) setLoading(undefined);
  }
  const fetching = (): boolean => loading() !== undefined || ready() !== undefined;
  // a model that lies here already costs nobody anything; one who takes the tour step by step came to see it
  const isHere = (): Promise<boolean> => (model() === "bundled" ? isKept() : Promise.resolve(true));
  void isHere().then((kept) => kept && !fetching() && void load());
  createEffect(() => params()[STEP] !== undefined && !untrack(fetching) && void load());
  // another one is asked for, or the page speaks another language
  createEffect(on([model, language], () => (fetching() || model() !== "bundled") && void load(), { defer: true }));

  const asked = createMemo(() => ({ ready: ready(), sentence: sentence(), layer: layer() }));
  let read: { sentence: string; model: number; reading: Reading } | undefined;
  const followed = useLatest(asked, async ({ ready: loaded, sentence: words, layer: which }) => {
    if (loaded === undefined) return undefined;
    if (read?.sentence !== words || read.model !== loaded)
      read = { sentence: words, model: loaded, reading: await remote.call("read", words) };
    return { reading: read.reading, trace: await remote.call("layer", which - 1) } satisfies Followed;
  });
  const rowAsked = createMemo(() => ({ trace: followed.value()?.trace, layer: layer() - 1, channel: channel() - 1 }));
  const row = useLatest(rowAsked, async ({ trace, layer: of, channel: which }) =>
    trace === undefined
      ? undefined
      : { trace, which, weights: await remote.call("row", { layer: of, channel: which }) },
  );
  /** The products of the channel that is shown; none while its weights are on their way. */
  const products = createMemo(() => {
    const known = row.value();
    const trace = followed.value()?.trace;
    if (known === undefined || known.trace !== trace || known.which !== channel() - 1) return undefined;
    return productsOf(known.weights, trace.normed.subarray(at() * trace.m, (at() + 1) * trace.m), LARGEST);
  });
  const last = (): number => (followed.value()?.reading.tokens.length ?? 1) - 1;
  const at = (): number => Math.min(t() - 1, last());
  const view = createMemo(() => {
    const seen = followed.value();
    if (seen === undefined) return undefined;
    const { states } = scanChannel(seen.trace, channel() - 1);
    const here: Numbers = numbersAt(seen.trace, states, at(), channel() - 1, state() - 1);
    return { ...seen, states, here };
  });
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().sentence}>
        <div class="row">
          <label class="field">
            <span>{m().sentence}</span>
            <input
              type="text"
              value={sentence()}
              onInput={(event) => setSaid(event.currentTarget.value)}
              data-testid="say"
            />
          </label>
          <Show when={!fetching()}>
            <Button primary onClick={() => void load()} testid="load">
              {m().load}
            </Button>
          </Show>
        </div>
        <Show when={model() !== "bundled" || OWN_MODELS.some((which) => own()[which] !== undefined)}>
          <Choice
            label={m().model}
            value={model()}
            onChange={setModel}
            testid="model"
            options={MODELS.filter(
              (which) => which === "bundled" || which === model() || own()[which] !== undefined,
            ).map((which) => ({ value: which, label: m().models[which] }))}
          />
        </Show>
        <Show when={loading()}>
          {(told) => (
            <Progress
              label={m().loading(told().file, (told().loaded / 1e6).toFixed(1))}
              value={told().total === undefined ? 0 : told().loaded / told().total!}
            />
          )}
        </Show>
        <Show when={error() ?? followed.error()}>
          {(failure) => (
            <Failure error={failure()} again={() => (ready() === undefined ? void load() : followed.again())} />
          )}
        </Show>
        <Show when={followed.value()}>
          {(seen) => <Scrubber tokens={seen().reading.tokens} at={at()} go={(to) => setT(to + 1)} />}
        </Show>
      </Panel>
      <Panel title={m().zooms[zoom()]} note={m().zoomNotes[zoom()]}>
        <div class="row">
          <Choice
            label={m().zoom}
            value={zoom()}
            onChange={setZoom}
            testid="zoom"
            options={ZOOMS.map((value) => ({ value, label: m().zooms[value] }))}
          />
          <Slider
            label={m().layer}
            value={layer()}
            min={1}
            max={sizes().layers}
            step={1}
            onInput={setLayer}
            testid="layer"
          />
          <Slider
            label={m().channel}
            value={channel()}
            min={1}
            max={sizes().channels}
            step={1}
            onInput={setChannel}
            testid="channel-number"
          />
          <Slider
            label={m().state}
            value={state()}
            min={1}
            max={sizes().states}
            step={1}
            onInput={setState}
            testid="state-number"
          />
        </div>
        <Show when={view()}>
          {(seen) => (
            <Switch>
              <Match when={zoom() === "model"}>
                <ModelZoom
                  reading={seen().reading}
                  t={at()}
                  layer={layer() - 1}
                  choose={(which) => {
                    setLayer(which + 1);
                    setZoom("block");
                  }}
                />
              </Match>
              <Match when={zoom() === "block"}>
                <BlockZoom at={seen().here} near={() => setZoom("channel")} />
                <Show when={products()}>{(all) => <Projection products={all()} width={seen().trace.m} />}</Show>
              </Match>
              <Match when={zoom() === "channel"}>
                <ChannelZoom
                  trace={seen().trace}
                  states={seen().states}
                  t={at()}
                  c={channel() - 1}
                  s={state() - 1}
                  choose={(s) => {
                    setState(s + 1);
                    setZoom("state");
                  }}
                />
              </Match>
              <Match when={zoom() === "state"}>
                <StateZoom
                  trace={seen().trace}
                  states={seen().states}
                  tokens={seen().reading.tokens}
                  t={at()}
                  c={channel() - 1}
                  s={state() - 1}
                />
              </Match>
            </Switch>
          )}
        </Show>
      </Panel>
      <Show when={view()}>
        {(seen) => (
          <>
            <Equation
              at={seen().here}
              token={seen().reading.tokens[at()]!}
              layer={layer()}
              channel={channel()}
              state={state()}
            />
            <CodeBeside of={stepCode(seen().trace, seen().states[at()]!, at(), channel() - 1)} />
          </>
        )}
      </Show>
    </Page>
  );
}

/** Whether the shipped model was fetched on an earlier visit, or on another page. */
async function isKept(): Promise<boolean> {
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  return (await cache?.match(`${bundledAddress()}model.safetensors`)) !== undefined;
}

/** The tokens as a row to walk along, by hand or by itself. */
function Scrubber(props: { tokens: readonly string[]; at: number; go: (to: number) => void }): JSX.Element {
  const [playing, setPlaying] = createSignal(false);
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = (): void => {
    clearInterval(timer);
    setPlaying(false);
  };
  const last = (): number => props.tokens.length - 1;
  const play = (): void => {
    if (props.at >= last()) props.go(0);
    setPlaying(true);
    timer = setInterval(() => (props.at >= last() ? stop() : props.go(props.at + 1)), 900);
  };
  createEffect(on(() => props.tokens, stop, { defer: true }));
  onCleanup(stop);
  return (
    <>
      <div class="chips" role="group" aria-label={m().tokens} data-testid="chips">
        <For each={props.tokens}>
          {(token, i) => (
            <button type="button" class="chip" aria-pressed={props.at === i()} onClick={() => props.go(i())}>
              <span data-token lang={/[A-Za-z]/.test(token) ? "en" : undefined}>
                {shownToken(token)}
              </span>
              <small>{i() + 1}</small>
            </button>
          )}
        </For>
      </div>
      <div class="row">
        <Slider
          label={m().token}
          value={props.at + 1}
          min={1}
          max={props.tokens.length}
          step={1}
          onInput={(to) => props.go(to - 1)}
          testid="token"
        />
        <Button onClick={() => (playing() ? stop() : play())}>{playing() ? m().pause : m().play}</Button>
      </div>
    </>
  );
}
