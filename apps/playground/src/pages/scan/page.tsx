import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Rng } from "@statespace/core";
import { createEffect, createMemo, createSignal, For, on, onCleanup, Show, type JSX } from "solid-js";
import { RunButton } from "../../components/RunButton.tsx";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Button, Choice, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { useLatest } from "../../workers/latest.ts";
import { engine } from "../../workers/engine.ts";
import type { Remote } from "../../workers/remote.ts";
import { ALGORITHMS, countCombinations, play, roundsOf, type Algorithm, type Step } from "./compute/rounds.ts";
import type { ScanApi, ScanMeasurement } from "./compute/scanApi.ts";
import formulas from "./formulas.tex";
import { scanCode } from "./code.ts";
import { messages as m } from "./messages.ts";
import { ScanPicture } from "./ScanPicture.tsx";

const CHUNK = 4;
/** Lengths whose rounds and merges are counted. */
const COST_LENGTHS = [8, 16, 32, 64, 256];
const LENGTHS = [64, 128, 256, 512];
const LONGEST = ["64", "128", "256", "512"] as const;

/** Steps with numbers as a Mamba layer has them: a = exp(delta A), b = delta B u. */
function makeSteps(l: number): Step[] {
  const rng = new Rng(11);
  return Array.from({ length: l }, () => ({ a: Math.exp(-rng.uniform(0.05, 0.6)), b: rng.normal() }));
}

export function ScanPage(): JSX.Element {
  const remote = engine("scan");
  onCleanup(() => remote.close());
  const [algorithm, setAlgorithm] = useParam<Algorithm>("algorithm", "tree", choice(...ALGORITHMS));
  const [length, setLength] = useParam<"8" | "16" | "32">("l", "8", choice("8", "16", "32"));
  const [round, setRound] = useParam("round", 99, number(0, 99, 1));
  const steps = createMemo(() => makeSteps(Number(length())));
  const rounds = createMemo(() => roundsOf(algorithm(), Number(length()), CHUNK));
  const history = createMemo(() => play(steps(), rounds()));
  const shown = (): number => Math.min(round(), rounds().length);
  const library = useLatest(steps, (list) =>
    remote.call("states", { a: list.map(({ a }) => a), b: list.map(({ b }) => b) }),
  );
  const difference = (): number => {
    const expected = library.value();
    const final = history().at(-1)!;
    return expected?.length === final.length
      ? final.reduce((most, { b }, i) => Math.max(most, Math.abs(b - expected[i]!)), 0)
      : Number.NaN;
  };
  const player = usePlayer(
    shown,
    (next) => setRound(next),
    () => rounds().length,
  );

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().animation} note={m().animationNote}>
        <div class="row">
          <Choice
            label={m().algorithm}
            value={algorithm()}
            onChange={setAlgorithm}
            testid="algorithm"
            options={ALGORITHMS.map((value) => ({ value, label: m().algorithms[value] }))}
          />
          <Choice
            label={m().length}
            value={length()}
            onChange={setLength}
            options={(["8", "16", "32"] as const).map((value) => ({ value, label: value }))}
          />
          <Slider
            label={m().round}
            value={shown()}
            min={0}
            max={rounds().length}
            step={1}
            onInput={setRound}
            testid="round"
          />
          <Button onClick={player.toggle}>{player.playing() ? m().pause : m().play}</Button>
        </div>
        <ScanPicture
          history={history()}
          rounds={rounds()}
          shown={shown()}
          label={m().picture(m().algorithms[algorithm()], shown(), rounds().length)}
          phase={({ phase }) => m().phases[phase]}
        />
        <div class="stats">
          <Stat label={m().rounds} value={String(rounds().length)} testid="rounds" />
          <Stat label={m().merges} value={String(countCombinations(rounds()))} testid="merges" />
          <Stat
            label={m().equal}
            value={Number.isNaN(difference()) ? "–" : difference().toExponential(1)}
            testid="scan-difference"
          />
        </div>
        <Costs />
        <CodeBeside
          of={scanCode(
            steps().map(({ a }) => a),
            steps().map(({ b }) => b),
          )}
        />
      </Panel>
      <Hardware remote={remote} />
      <FormulaTable
        from={formulas}
        names={["element", "combine", "composed", "fused"]}
        labels={{ composed: m().naiveBytes, fused: m().fusedBytes }}
        rows={[
          { symbol: "(a, b)", code: "exp(delta A), delta B u", meaning: m().rows.element },
          { symbol: "∘", code: "combine(left, right)", meaning: m().rows.combine },
          { symbol: "y", code: "selectiveScan({ u, delta, A, B, C })", meaning: m().rows.scan },
          { symbol: "xₗ", code: "lastState", meaning: m().rows.lastState },
          { symbol: "∂", code: "selectiveScanGrad", meaning: m().rows.backward },
        ]}
      />
    </Page>
  );
}

/** What each order of merging costs, counted from its own rounds. */
function Costs(): JSX.Element {
  const cost = (algorithm: Algorithm, l: number): string => {
    const rounds = roundsOf(algorithm, l, CHUNK);
    return m().costCell(rounds.length, countCombinations(rounds));
  };
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={m().costs}>
      <table data-testid="costs">
        <caption>{m().costs}</caption>
        <thead>
          <tr>
            <th class="number" scope="col">
              {m().length}
            </th>
            <For each={ALGORITHMS}>{(algorithm) => <th scope="col">{m().algorithms[algorithm]}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={COST_LENGTHS}>
            {(l) => (
              <tr>
                <th class="number" scope="row">
                  {l}
                </th>
                <For each={ALGORITHMS}>{(algorithm) => <td>{cost(algorithm, l)}</td>}</For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

function usePlayer(
  at: () => number,
  go: (round: number) => void,
  end: () => number,
): { playing: () => boolean; toggle: () => void } {
  const [playing, setPlaying] = createSignal(false);
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = (): void => {
    clearInterval(timer);
    setPlaying(false);
  };
  const toggle = (): void => {
    if (playing()) return stop();
    if (at() >= end()) go(0);
    setPlaying(true);
    timer = setInterval(() => (at() >= end() ? stop() : go(at() + 1)), 700);
  };
  createEffect(on(end, stop, { defer: true }));
  onCleanup(stop);
  return { playing, toggle };
}

const size = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

function Hardware(props: { remote: Remote<ScanApi> }): JSX.Element {
  const [backend, setBackend] = useBackend();
  const [longest, setLongest] = useParam<(typeof LONGEST)[number]>("upto", "256", choice(...LONGEST));
  const [rows, setRows] = createSignal<readonly ScanMeasurement[]>([]);
  const [error, setError] = createSignal<unknown>();
  const [run, setRun] = createSignal<AbortController>();
  async function measure(): Promise<void> {
    const own = new AbortController();
    setRun(own);
    setRows([]);
    setError(undefined);
    try {
      await props.remote.call(
        "measure",
        { backend: backend(), lengths: LENGTHS.filter((l) => l <= Number(longest())), d: 64, n: 16 },
        { signal: own.signal, onEvent: (row) => setRows([...rows(), row]) },
      );
    } catch (failure) {
      if ((failure as Error).name !== "AbortError") setError(failure);
    }
    setRun(undefined);
  }
  return (
    <Panel title={m().hardware} note={m().hardwareNote}>
      <div class="row">
        <BackendChoice value={backend()} onChange={setBackend} />
        <RunButton run={run()} onRun={() => void measure()} testid="measure">
          {m().measure}
        </RunButton>
        <Choice
          label={m().longest}
          value={longest()}
          onChange={setLongest}
          options={LONGEST.map((value) => ({ value, label: value }))}
        />
      </div>
      <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void measure()} />}</Show>
      <Show when={rows().length > 0}>
        <div class="scroll" tabIndex={0} role="group" aria-label={m().hardware}>
          <table data-testid="measurements">
            <thead>
              <tr>
                <For
                  each={[
                    m().lengthColumn,
                    m().naiveBytes,
                    m().fusedBytes,
                    m().naiveMs,
                    m().fusedMs,
                    m().speedup,
                    m().states,
                    m().difference,
                  ]}
                >
                  {(title) => (
                    <th class="number" scope="col">
                      {title}
                    </th>
                  )}
                </For>
              </tr>
            </thead>
            <tbody>
              <For each={rows()}>
                {(row) => (
                  <tr>
                    <td class="number">{row.l}</td>
                    <td class="number">{size(row.naiveBytes)}</td>
                    <td class="number">{size(row.fusedBytes)}</td>
                    <td class="number">{row.naiveMs.toFixed(2)}</td>
                    <td class="number">{row.fusedMs.toFixed(3)}</td>
                    <td class="number">{m().times((row.naiveMs / row.fusedMs).toFixed(0))}</td>
                    <td class="number">{size(row.statesBytes)}</td>
                    <td class="number">{row.difference.toExponential(1)}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </Panel>
  );
}
