import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Button, Choice, Progress, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Panel } from "../../components/Page.tsx";
import { RunButton } from "../../components/RunButton.tsx";
import { choice, number } from "../../shell/codecs.ts";
import { language } from "../../shell/language.ts";
import { useParam } from "../../shell/route.ts";
import { OWN_MODELS, type ModelChoice, type OwnModel } from "../../workers/modelChoice.ts";
import { BaseChoice } from "./BaseChoice.tsx";
import type { Job, Point } from "./compute/job.ts";
import { bitsCode } from "./code.ts";
import { learner } from "./learner.ts";
import { messages as m } from "./messages.ts";
import { source } from "./source.ts";
import { exampleText } from "./texts/example.ts";
import { Thumbnails } from "./Thumbnails.tsx";
import { faultOf } from "./TextPanel.tsx";

/** Characters of a text that name it. */
const TITLE = 20;

function titleOf(): string {
  const [first = ""] = source.text().trim().split("\n");
  return source.file() ?? ([...first].length > TITLE ? `${[...first].slice(0, TITLE).join("")}…` : first);
}

/** Settings, the run, and what is seen of it. */
export function LearnPanel(): JSX.Element {
  const [backend, setBackend] = useBackend();
  const [which, setWhich] = useParam<OwnModel>("what", "trained", choice(...OWN_MODELS));
  const [rank, setRank] = useParam("rank", 8, number(2, 32, 2));
  const [base, setBase] = createSignal<ModelChoice>();
  const [width, setWidth] = useParam("width", 64, number(32, 128, 16));
  const [layers, setLayers] = useParam("layers", 2, number(1, 4, 1));
  const [length, setLength] = useParam("length", 64, number(32, 256, 32));
  const [steps, setSteps] = useParam("steps", 300, number(20, 2000, 20));
  const [fault, setFault] = createSignal<string>();
  const unfinished = (): number | undefined => {
    const job = learner.job();
    return job !== undefined && learner.step() > 0 && learner.step() < job.settings.steps ? learner.step() : undefined;
  };
  function learn(): void {
    const wrong =
      faultOf(source.text()) ?? (which() === "tuned" && base() === undefined ? m().faults.noBase : undefined);
    setFault(wrong);
    if (wrong !== undefined) return;
    const settings = { width: width(), layers: layers(), rank: rank(), length: length(), steps: steps(), seed: 1 };
    const job: Job = { which: which(), text: source.text(), title: titleOf(), settings };
    if (which() === "trained") return void learner.learn(job, backend());
    void learner.learn({ ...job, base: base() }, backend());
  }
  return (
    <Panel title={m().learn} note={m().learnNote}>
      <div class="row" data-testid="own-learn">
        <Choice
          label={m().what}
          value={which()}
          onChange={setWhich}
          testid="own-what"
          options={OWN_MODELS.map((value) => ({ value, label: m().kinds[value] }))}
        />
      </div>
      <Show when={which() === "tuned"}>
        <BaseChoice choose={setBase} />
      </Show>
      <div class="row">
        <Show
          when={which() === "trained"}
          fallback={
            <Slider label={m().rank} value={rank()} min={2} max={32} step={2} onInput={setRank} testid="own-rank" />
          }
        >
          <Slider
            label={m().width}
            value={width()}
            min={32}
            max={128}
            step={16}
            onInput={setWidth}
            testid="own-width"
          />
          <Slider label={m().layers} value={layers()} min={1} max={4} step={1} onInput={setLayers} />
        </Show>
        <Slider label={m().length} value={length()} min={32} max={256} step={32} onInput={setLength} />
        <Slider label={m().steps} value={steps()} min={20} max={2000} step={20} onInput={setSteps} testid="own-steps" />
      </div>
      <BackendChoice value={backend()} onChange={setBackend} />
      <div class="row">
        <RunButton run={learner.run()} onRun={learn} testid="own-start" cancelTestid="own-stop">
          {learner.models()[which()] === undefined ? m().start : m().anew}
        </RunButton>
        <Show when={learner.run() === undefined && unfinished()}>
          {(step) => (
            <Button onClick={() => void learner.goOn(backend())} testid="own-go-on">
              {m().goOn(step())}
            </Button>
          )}
        </Show>
        <Show when={learner.loading()}>
          {(loading) => (
            <Progress
              label={m().fetching(loading().file, (loading().loaded / 1e6).toFixed(1))}
              value={loading().total === undefined ? 0 : loading().loaded / loading().total!}
            />
          )}
        </Show>
        <Show when={learner.loading() === undefined && learner.job()}>
          {(job) => (
            <Progress
              label={m().progress(learner.step(), job().settings.steps)}
              value={learner.step()}
              max={job().settings.steps}
            />
          )}
        </Show>
      </div>
      <Show when={learner.models()[which()] !== undefined && learner.run() === undefined}>
        <p class="note">{m().replaces}</p>
      </Show>
      <Show when={fault()}>
        {(words) => (
          <p class="failure" role="alert" data-testid="own-refused">
            {words()}
          </p>
        )}
      </Show>
      <Show when={learner.error()}>
        {(error) => <Failure error={error()} again={() => void learner.goOn(backend())} />}
      </Show>
      <Show when={learner.notKept()}>
        {(reason) => (
          <p class="failure" role="alert" data-testid="own-not-kept">
            {m().notKept(reason())}
          </p>
        )}
      </Show>
      <Standing />
      <Curve />
      <Thumbnails />
      <Samples />
    </Panel>
  );
}

function Standing(): JSX.Element {
  const bits = (points: readonly Point[] | undefined): string => {
    const last = points?.at(-1);
    return last === undefined ? "–" : m().bits(last.bits.toFixed(2));
  };
  return (
    <div class="stats" aria-live="off">
      <Stat label={m().stats.surprise} value={bits(learner.history()?.points)} tone="mamba" testid="own-bits" />
      <Stat label={m().stats.apart} value={bits(learner.history()?.apart)} tone="s4" testid="own-apart" />
      <Stat label={m().stats.speed} value={learner.speed()?.tokensPerSecond.toFixed(0) ?? "–"} />
      <Stat
        label={m().stats.left}
        value={learner.speed() === undefined ? "–" : m().seconds(learner.speed()!.secondsLeft.toFixed(0))}
      />
    </div>
  );
}

function Curve(): JSX.Element {
  const lines = createMemo(() => {
    const { points = [], apart = [], guessing = 0, frequency = 0 } = learner.history() ?? {};
    const steps = [...new Set([...points, ...apart].map(({ step }) => step))].sort((a, b) => a - b);
    if (steps.length === 0)
      return { steps: [0, learner.job()?.settings.steps ?? 100], points, apart, guessing, frequency };
    return { steps, points, apart, guessing, frequency };
  });
  const along = (points: readonly Point[]): (number | null)[] => {
    const found = new Map(points.map(({ step, bits }) => [step, bits]));
    return lines().steps.map((step) => found.get(step) ?? null);
  };
  const level = (bits: number): (number | null)[] => lines().steps.map(() => (bits > 0 ? bits : null));
  return (
    <>
      <h3>{m().curve}</h3>
      <p class="note">{m().curveNote}</p>
      <div data-testid="own-curve" data-points={learner.history()?.points.length ?? 0}>
        <LinePlot
          label={m().curve}
          x={lines().steps}
          xLabel={m().stepAxis}
          yLabel={m().bitsAxis}
          lines={[
            { label: m().lines.learning, tone: "mamba", values: along(lines().points) },
            { label: m().lines.apart, tone: "s4", values: along(lines().apart), width: 0, points: true },
            { label: m().lines.frequency, tone: "rnn", values: level(lines().frequency), width: 1 },
            { label: m().lines.guessing, tone: "quiet", values: level(lines().guessing), width: 1 },
          ]}
        />
      </div>
      <CodeBeside of={bitsCode(source.text() === "" ? exampleText(language()) : source.text())} />
    </>
  );
}

function Samples(): JSX.Element {
  return (
    <div data-testid="own-samples">
      <h3>{m().samples}</h3>
      <p class="note">{m().samplesNote}</p>
      <div class="scroll tall" tabIndex={0} role="group" aria-label={m().samplesTable}>
        <table>
          <thead>
            <tr>
              <th class="number" scope="col">
                {m().sampleStep}
              </th>
              <th scope="col">{m().sampleText}</th>
            </tr>
          </thead>
          <tbody>
            <For each={learner.history()?.samples.toReversed() ?? []}>
              {({ step, text }) => (
                <tr>
                  <th class="number" scope="row">
                    {step}
                  </th>
                  <td class="own-sample" data-testid="own-sample">
                    {text}
                  </td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
      </div>
    </div>
  );
}
