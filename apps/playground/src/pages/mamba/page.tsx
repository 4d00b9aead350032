import { For, onMount, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Button, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { HeatMap } from "../../components/HeatMap.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, number, text } from "../../shell/codecs.ts";
import { owed } from "../../shell/owed.ts";
import { useParam } from "../../shell/route.ts";
import { shell } from "../../shell/shellMessages.ts";
import type { BackendName } from "../../workers/backendNames.ts";
import { OWN_MODELS, type OwnModel } from "../../workers/modelChoice.ts";
import type { WriteInput } from "./compute/writerApi.ts";
import { DrawingSliders, useDrawing } from "./Drawing.tsx";
import formulas from "./formulas.tex";
import { growthCode } from "./code.ts";
import { overtakes } from "./growth.ts";
import { messages as m } from "./messages.ts";
import { Microscope } from "./Microscope.tsx";
import { ModelPanel } from "./ModelPanel.tsx";
import { SavedStates } from "./SavedStates.tsx";
import { writer, type Writer } from "./writer.ts";
import "./style.css";

export function MambaPage(): JSX.Element {
  const [backend, setBackend] = useBackend();
  const [own, setOwn] = useParam<OwnModel | "">("model", "", choice(...OWN_MODELS));
  onMount(() => {
    const which = own();
    if (which === "") return void owed(writer.resume(backend()));
    setOwn(""); // asked for once: whoever then loads another one keeps that over a reload
    void owed(writer.load({ kind: "own", which }, backend()));
  });
  const [prompt, setPrompt] = useParam("prompt", m().defaultPrompt, text);
  const [tokens, setTokens] = useParam("tokens", 60, number(1, 400, 1));
  const drawing = useDrawing();
  const [pace, setPace] = useParam("pace", 25, number(0, 100));
  const [seed, setSeed] = useParam("seed", 1, number(0, 1e6, 1));
  const move = (name: BackendName): void => {
    setBackend(name);
    void writer.moveTo(name);
  };
  const settings = (): Omit<WriteInput, "prompt"> => ({
    tokens: tokens(),
    drawing: drawing.value(),
    seed: seed(),
    pace: pace(),
  });

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <ModelPanel writer={writer} backend={backend()} />
      <Panel title={m().write} note={m().switchNote}>
        <label>
          {m().prompt}
          <input
            type="text"
            value={prompt()}
            onInput={(event) => setPrompt(event.currentTarget.value)}
            data-testid="prompt"
          />
        </label>
        <div class="row">
          <Slider label={m().tokens} value={tokens()} min={5} max={400} step={5} onInput={setTokens} />
          <DrawingSliders of={drawing} at="write" />
          <Slider
            label={m().pace}
            value={pace()}
            min={0}
            max={100}
            step={5}
            show={(value) => (value === 0 ? m().flatOut : m().perSecond(value))}
            onInput={setPace}
            testid="pace"
          />
          <BackendChoice value={backend()} onChange={move} />
        </div>
        <div class="row">
          <Show
            when={!writer.writing()}
            fallback={
              <Button onClick={writer.stop} testid="stop-writing">
                {shell().stop}
              </Button>
            }
          >
            <Button
              primary
              disabled={writer.facts() === undefined}
              onClick={() => void writer.write({ prompt: prompt(), ...settings() })}
              testid="write"
            >
              {m().go}
            </Button>
            <Button
              disabled={writer.progress() === undefined}
              onClick={() => void writer.write(settings())}
              testid="more"
            >
              {m().more}
            </Button>
          </Show>
        </div>
        <Show when={writer.error()}>{(error) => <Failure error={error()} again={writer.recover} />}</Show>
        <p class="written" role="log" aria-label={m().output} data-testid="text" aria-busy={writer.writing()}>
          <strong>{writer.progress()?.prompt}</strong>
          {writer.progress()?.text}
        </p>
        <Numbers writer={writer} />
      </Panel>
      <Microscope writer={writer} />
      <Panel title={m().states} note={m().statesNote}>
        <For each={writer.picture()}>
          {(picture, i) => (
            <figure class="figure">
              <figcaption>{m().stateOf(i() + 1)}</figcaption>
              <HeatMap
                label={m().stateOf(i() + 1)}
                rows={picture.rows}
                cols={picture.cols}
                values={picture.values}
                signed
                limit={writer.scale()}
                height="64px"
              />
            </figure>
          )}
        </For>
      </Panel>
      <SavedStates
        writer={writer}
        onFork={(snapshot) => {
          setSeed(seed() + 1);
          void writer.fork(snapshot, settings());
        }}
      />
      <Growth writer={writer} />
      <FormulaTable
        from={formulas}
        names={["step", "state", "cache"]}
        labels={{ state: m().numbersKept.mamba, cache: m().numbersKept.transformer }}
        rows={[
          { symbol: "x", code: "ModelState", meaning: m().rows.x },
          { symbol: "xₜ₋₁ → xₜ", code: "model.step(ids, state)", meaning: m().rows.step },
          { symbol: "·", code: "state.toBytes(), ModelState.fromBytes()", meaning: m().rows.save },
          { symbol: "·", code: 'await model.to("webgpu")', meaning: m().rows.move },
          { symbol: "k", code: "dConv", meaning: m().rows.k },
        ]}
      />
    </Page>
  );
}

const kilobytes = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;

/** Bytes of the keys and values that attention of the same depth and width keeps. */
function cacheBytes(writer: Writer, tokens: number): number {
  const facts = writer.facts();
  return facts === undefined ? 0 : 4 * 2 * facts.layers * facts.dModel * tokens;
}

function Numbers(props: { writer: Writer }): JSX.Element {
  const progress = props.writer.progress;
  return (
    <div class="stats">
      <Stat
        label={m().speed}
        value={progress() ? progress()!.tokensPerSecond.toFixed(0) : "–"}
        note={progress()?.backend ?? ""}
        testid="speed"
      />
      <Stat label={m().position} value={String(progress()?.tokens ?? 0)} testid="position" />
      <Stat
        label={m().memory}
        value={kilobytes(props.writer.facts()?.stateBytes ?? 0)}
        tone="mamba"
        testid="state-bytes"
      />
      <Stat
        label={m().cache}
        value={kilobytes(cacheBytes(props.writer, progress()?.tokens ?? 0))}
        tone="attention"
        testid="cache-bytes"
      />
    </div>
  );
}

function Growth(props: { writer: Writer }): JSX.Element {
  const positions = Float64Array.from({ length: 41 }, (_, i) => i * 100);
  return (
    <Show when={props.writer.facts()}>
      {(facts) => (
        <Panel
          title={m().growthTitle}
          note={`${m().overtaken(overtakes(facts().stateBytes, cacheBytes(props.writer, 1)))} ${m().growthNote}`}
        >
          <LinePlot
            label={m().growth}
            x={positions}
            xLabel={m().tokensAxis}
            yLabel={m().bytesAxis}
            mark={props.writer.progress()?.tokens ?? 0}
            lines={[
              { label: m().mamba, tone: "mamba", values: positions.map(() => facts().stateBytes), width: 3 },
              { label: m().transformer, tone: "attention", values: positions.map((t) => cacheBytes(props.writer, t)) },
            ]}
          />
          <CodeBeside
            of={growthCode(facts().layers, facts().dModel, facts().stateBytes, props.writer.progress()?.tokens ?? 0)}
          />
        </Panel>
      )}
    </Show>
  );
}
