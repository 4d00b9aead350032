import { createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Button, Choice, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { LinePlot, type Line } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { shell } from "../../shell/shellMessages.ts";
import { engine } from "../../workers/engine.ts";
import type { Remote } from "../../workers/rpc.ts";
import { crossing, doubling } from "./crossing.ts";
import { KINDS, type Kind } from "./compute/names.ts";
import type { CostPoint, WhyApi } from "./compute/whyApi.ts";
import formulas from "./formulas.tex";
import { messages as m } from "./messages.ts";

const LENGTHS = [32, 64, 128, 256, 512, 1024, 2048, 4096];
const LONGEST = ["512", "1024", "2048", "4096"] as const;
const TONES: Readonly<Record<Kind, string>> = { attention: "attention", gru: "rnn", s4d: "s4", mamba: "mamba" };

export function WhyPage(): JSX.Element {
  const [backend, setBackend] = useBackend();
  const [longest, setLongest] = useParam<(typeof LONGEST)[number]>("upto", "2048", choice(...LONGEST));
  const tried = (): number[] => LENGTHS.filter((l) => l <= Number(longest()));
  const [points, setPoints] = createSignal<readonly CostPoint[]>([]);
  const [run, setRun] = createSignal<AbortController>();
  const [error, setError] = createSignal<unknown>();
  let remote: Remote<WhyApi> | undefined;
  onCleanup(() => remote?.close());

  async function measure(): Promise<void> {
    remote?.close();
    remote = engine("why");
    const own = new AbortController();
    setRun(own);
    setPoints([]);
    setError(undefined);
    try {
      await remote.call(
        "measure",
        { lengths: tried(), backend: backend() },
        { signal: own.signal, onEvent: (point) => setPoints([...points(), point]) },
      );
    } catch (failure) {
      if ((failure as Error).name !== "AbortedError") setError(failure);
    }
    setRun(undefined);
  }

  const lengths = (): number[] => LENGTHS.filter((l) => points().some((point) => point.l === l));
  const of = (kind: Kind, value: (point: CostPoint) => number | undefined): (number | null)[] =>
    lengths().map((l) => {
      const point = points().find((each) => each.kind === kind && each.l === l);
      return (point && value(point)) ?? null;
    });
  const lines = (value: (point: CostPoint) => number | undefined): Line[] =>
    KINDS.map((kind) => ({
      label: m().kinds[kind],
      tone: TONES[kind],
      values: of(kind, value),
      points: true,
      width: 2.5,
    }));

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().figure} note={m().note}>
        <div class="row">
          <Show
            when={run()}
            fallback={
              <Button primary onClick={() => void measure()} testid="measure">
                {m().measure}
              </Button>
            }
          >
            {(own) => <Button onClick={() => own().abort()}>{shell().cancel}</Button>}
          </Show>
          <BackendChoice value={backend()} onChange={setBackend} />
          <Choice
            label={m().longest}
            value={longest()}
            onChange={setLongest}
            options={LONGEST.map((value) => ({ value, label: value }))}
          />
          <Show when={run()}>
            <progress aria-label={shell().working} value={points().length} max={tried().length * KINDS.length} />
          </Show>
        </div>
        <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void measure()} />}</Show>
        <figure class="figure" data-testid="costs" data-done={run() === undefined && points().length > 0}>
          <figcaption>{m().train}</figcaption>
          <LinePlot
            label={m().train}
            x={lengths()}
            logX
            logY
            xLabel={m().lengthAxis}
            yLabel={m().msAxis}
            height={280}
            lines={lines((point) => point.train)}
          />
        </figure>
        <div class="split">
          <figure class="figure">
            <figcaption>{m().next}</figcaption>
            <LinePlot
              label={m().next}
              x={lengths()}
              logX
              logY
              xLabel={m().lengthAxis}
              yLabel={m().msAxis}
              lines={lines((point) => point.next)}
            />
          </figure>
          <figure class="figure">
            <figcaption>{m().state}</figcaption>
            <LinePlot
              label={m().state}
              x={lengths()}
              logX
              logY
              xLabel={m().lengthAxis}
              yLabel={m().bytesAxis}
              lines={lines((point) => point.stateBytes)}
            />
          </figure>
        </div>
        <Show when={run() === undefined && points().length > 0}>
          <Findings points={points()} />
        </Show>
      </Panel>
      <FormulaTable
        from={formulas}
        names={["attention", "recurrence", "linear"]}
        labels={{ attention: m().kinds.attention, recurrence: m().kinds.gru, linear: "SSM" }}
        rows={[
          { symbol: "Σ", code: "AttentionMixer", meaning: m().rows.attention },
          { symbol: "f", code: "GruMixer", meaning: m().rows.gru },
          { symbol: "Ā, B̄, C", code: "S4Mixer", meaning: m().rows.s4d },
          { symbol: "Āₜ, B̄ₜ, Cₜ", code: "MambaMixer", meaning: m().rows.mamba },
          { symbol: "xₜ", code: "ModelState.bytes", meaning: m().rows.state },
        ]}
      />
    </Page>
  );
}

function Findings(props: { points: readonly CostPoint[] }): JSX.Element {
  const verdict = (kind: Kind): string => {
    const found = crossing(props.points, kind, "mamba");
    const name = m().kinds[kind];
    if (found === "always") return m().crossAlways(name);
    return found === "never" ? m().crossNever(name) : m().crossTrain(name, found.toFixed(0));
  };
  const growth = (kind: Kind): string => {
    const own = props.points.filter((point) => point.kind === kind);
    return m().times((own.at(-1)!.next / own[0]!.next).toFixed(1));
  };
  const complete = (): boolean => KINDS.every((kind) => props.points.filter((point) => point.kind === kind).length > 1);
  return (
    <Show when={complete()}>
      <h3>{m().crossing}</h3>
      <ul data-testid="crossings">
        <For each={["attention", "gru"] as const}>{(kind) => <li>{verdict(kind)}</li>}</For>
      </ul>
      <p class="note">{m().whyNotS4}</p>
      <h3>{m().growth}</h3>
      <div class="stats">
        <For each={KINDS}>
          {(kind) => <Stat label={m().kinds[kind]} value={growth(kind)} tone={TONES[kind]} testid={`growth-${kind}`} />}
        </For>
      </div>
      <h3>{m().slope}</h3>
      <div class="stats">
        <For each={KINDS}>
          {(kind) => (
            <Stat
              label={m().kinds[kind]}
              value={m().times(doubling(props.points, kind).toFixed(1))}
              tone={TONES[kind]}
              testid={`doubling-${kind}`}
            />
          )}
        </For>
      </div>
    </Show>
  );
}
