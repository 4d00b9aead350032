import { createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from "solid-js";
import { RunButton } from "../../components/RunButton.tsx";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Choice, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { LaterPlot } from "../../components/LaterPlot.tsx";
import type { Line } from "../../components/line.ts";
import { Page, Panel } from "../../components/Page.tsx";
import { choice } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { shell } from "../../shell/shellMessages.ts";
import { kept } from "../../offline/offline.ts";
import { sparing } from "../../offline/sparing.ts";
import { FETCHED_KB, type BackendName } from "../../workers/backendNames.ts";
import { engine } from "../../workers/engine.ts";
import type { Remote } from "../../workers/remote.ts";
import { crossing, trainingLaw } from "./crossing.ts";
import { KINDS, type Kind } from "./compute/names.ts";
import type { CostPoint, Repeats, WhyApi } from "./compute/whyApi.ts";
import formulas from "./formulas.tex";
import { whenIdle } from "./idle.ts";
import { messages as m } from "./messages.ts";
import { TwoMemories } from "./TwoMemories.tsx";
import { recordedBeside } from "./recorded.ts";

const LENGTHS = [32, 64, 128, 256, 512, 1024, 2048, 4096];
const LONGEST = ["512", "1024", "2048", "4096"] as const;
/** What the page measures with by itself: small enough to come with it. A faster one is fetched when it is asked for. */
const QUIET: BackendName = "cpu";
/** Milliseconds: a kind that trained for longer is not tried at twice the length; less of them where nobody asked. */
const PATIENCE = { asked: 900, quiet: 300 };
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
  let callOff = (): void => undefined;
  onMount(() => (callOff = whenIdle(() => void measure(true))));
  onCleanup(() => callOff());
  /** Whether the run was begun by the page itself, while the visitor reads. */
  const [quietly, setQuietly] = createSignal(false);
  /** What the points are of, or will be by themselves. */
  const [on, setOn] = createSignal(QUIET);
  const recorded = createMemo(() => recordedBeside(on()));
  /** What asking for the chosen backend still fetches; 0 where it is here, or the whole tour is. */
  const toFetch = (): number => (backend() === on() || kept()?.complete ? 0 : FETCHED_KB[backend()]);

  async function measure(byItself = false): Promise<void> {
    callOff();
    setQuietly(byItself);
    setOn(byItself ? QUIET : backend());
    remote?.close();
    remote = engine("why");
    const own = new AbortController();
    setRun(own);
    setPoints([]);
    setError(undefined);
    try {
      await remote.call(
        "measure",
        { lengths: tried(), backend: on(), patience: byItself ? PATIENCE.quiet : PATIENCE.asked },
        { signal: own.signal, onEvent: (point) => setPoints([...points(), point]) },
      );
    } catch (failure) {
      // what nobody asked for fails in silence: the recorded curves stand there already
      if ((failure as Error).name !== "AbortedError" && !byItself) setError(failure);
    }
    if (run() === own) setRun(undefined);
  }

  const lengths = (): number[] =>
    LENGTHS.filter((l) => l <= Number(longest()) || points().some((point) => point.l === l));
  const of = (
    from: readonly CostPoint[],
    kind: Kind,
    value: (point: CostPoint) => number | undefined,
  ): (number | null)[] =>
    lengths().map((l) => {
      const point = from.find((each) => each.kind === kind && each.l === l);
      return (point && value(point)) ?? null;
    });
  const lines = (repeats: (point: CostPoint) => Repeats | undefined): Line[] =>
    KINDS.map((kind) => ({
      label: m().kinds[kind],
      tone: TONES[kind],
      values: of(points(), kind, (point) => repeats(point)?.median),
      low: of(points(), kind, (point) => repeats(point)?.low),
      high: of(points(), kind, (point) => repeats(point)?.high),
      points: true,
      width: 2.5,
    }));
  const ghosts = (value: (point: CostPoint) => number | undefined): Line[] =>
    KINDS.map((kind) => ({
      label: m().recorded(m().kinds[kind]),
      tone: TONES[kind],
      values: of(recorded().points, kind, value),
    }));
  const bytes = (): Line[] =>
    KINDS.map((kind) => ({
      label: m().kinds[kind],
      tone: TONES[kind],
      values: of(points(), kind, (point) => point.stateBytes),
      points: true,
      width: 2.5,
    }));

  const standing = (): string => {
    if (run() !== undefined) return quietly() ? m().measuringQuietly(on()) : m().measuring(on());
    if (points().length > 0) return m().measured(on());
    return sparing ? m().whenAsked : m().notYet(on());
  };

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <TwoMemories />
      <Panel title={m().figure} note={m().note}>
        <div class="row">
          <RunButton run={quietly() ? undefined : run()} onRun={() => void measure()} testid="measure">
            {m().measure(backend(), toFetch())}
          </RunButton>
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
        <p class="note" data-testid="standing">
          {m().ghostNote(recorded().on)} {standing()}
        </p>
        <p class="note">{m().byItself}</p>
        <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void measure()} />}</Show>
        <figure class="figure" data-testid="costs" data-done={run() === undefined && points().length > 0}>
          <figcaption>{m().train}</figcaption>
          <LaterPlot
            label={m().train}
            x={lengths()}
            logX
            logY
            xLabel={m().lengthAxis}
            yLabel={m().msAxis}
            height={280}
            lines={lines((point) => point.train)}
            ghosts={ghosts((point) => point.train?.median)}
          />
        </figure>
        <div class="split">
          <figure class="figure">
            <figcaption>{m().next}</figcaption>
            <LaterPlot
              label={m().next}
              x={lengths()}
              logX
              logY
              xLabel={m().lengthAxis}
              yLabel={m().msAxis}
              lines={lines((point) => point.next)}
              ghosts={ghosts((point) => point.next.median)}
            />
          </figure>
          <figure class="figure">
            <figcaption>{m().state}</figcaption>
            <LaterPlot
              label={m().state}
              x={lengths()}
              logX
              logY
              xLabel={m().lengthAxis}
              yLabel={m().bytesAxis}
              lines={bytes()}
              ghosts={ghosts((point) => point.stateBytes)}
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
  const growth = (kind: Kind): { value: string; note: string } => {
    const own = props.points.filter((point) => point.kind === kind);
    const [first, last] = [own[0]!.next, own.at(-1)!.next];
    return {
      value: m().times((last.median / first.median).toFixed(1)),
      note: m().between((last.low / first.high).toFixed(1), (last.high / first.low).toFixed(1)),
    };
  };
  const law = (kind: Kind): { value: string; note: string } => {
    const found = trainingLaw(props.points, kind);
    return found === undefined
      ? { value: "–", note: "" }
      : {
          value: m().times((2 ** found.slope).toFixed(1)),
          note: `l^${found.slope.toFixed(2)} ± ${found.error.toFixed(2)}`,
        };
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
          {(kind) => <Stat label={m().kinds[kind]} {...growth(kind)} tone={TONES[kind]} testid={`growth-${kind}`} />}
        </For>
      </div>
      <h3>{m().slope}</h3>
      <div class="stats">
        <For each={KINDS}>
          {(kind) => <Stat label={m().kinds[kind]} {...law(kind)} tone={TONES[kind]} testid={`doubling-${kind}`} />}
        </For>
      </div>
    </Show>
  );
}
