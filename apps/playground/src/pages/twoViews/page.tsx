import { createMemo, createSignal, onCleanup, Show, type JSX } from "solid-js";
import { shell } from "../../shell/shellMessages.ts";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Button, Choice, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { HeatMap } from "../../components/HeatMap.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { engine } from "../../workers/engine.ts";

import { viewsCode } from "./code.ts";
import { bothViews, LENGTH, makeInput, makeLssl, MEASURES, type Measure } from "./compute/lssl.ts";
import type { Timing } from "./compute/viewsApi.ts";
import { FilterNumbers } from "./FilterNumbers.tsx";
import formulas from "./formulas.tex";
import { messages as m } from "./messages.ts";

const steps = Float64Array.from({ length: LENGTH }, (_, k) => k);

export function TwoViewsPage(): JSX.Element {
  const [k, setK] = useParam("k", 30, number(0, LENGTH - 1, 1));
  const [measure, setMeasure] = useParam<Measure>("measure", "legt", choice(...MEASURES));
  const [n, setN] = useParam("n", 16, number(2, 32, 2));
  const [delta, setDelta] = useParam("delta", 0.08, number(0.01, 0.5));
  const system = createMemo(() => makeLssl(measure(), n(), delta(), 1));
  const views = createMemo(() => bothViews(system(), makeInput(2)));
  const reversed = createMemo(() => Array.from(steps, (j) => (j <= k() ? views().filter[k() - j]! : null)));
  const product = createMemo(() =>
    Array.from(steps, (j) => (j <= k() ? views().filter[k() - j]! * views().u[j]! : null)),
  );

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().figure} note={m().note}>
        <div class="row">
          <Slider label={m().k} value={k()} min={0} max={LENGTH - 1} step={1} onInput={setK} testid="k" />
          <Slider label={m().n} value={n()} min={2} max={32} step={2} onInput={setN} testid="n" />
          <Slider
            label={m().delta}
            value={delta()}
            min={0.01}
            max={0.5}
            log
            show={(value) => value.toFixed(3)}
            onInput={setDelta}
          />
          <Choice
            label={m().measure}
            value={measure()}
            onChange={setMeasure}
            options={MEASURES.map((value) => ({ value, label: m().measures[value] }))}
          />
        </div>
        <div class="split">
          <div class="figure">
            <h3>{m().recurrentView}</h3>
            <LinePlot
              label={`${m().recurrentView}${shell().colon}${m().input}`}
              x={steps}
              height={150}
              mark={k()}
              lines={[
                {
                  label: m().input,
                  tone: "quiet",
                  values: Array.from(views().u, (value, j) => (j <= k() ? value : null)),
                  shape: "bars",
                },
              ]}
            />
            <HeatMap label={m().state(k())} rows={1} cols={n()} values={views().states[k()]!} signed height="30px" />
            <span class="quiet">{m().state(k())}</span>
            <Stat
              label={m().byRecurrence}
              value={views().recurrent[k()]!.toFixed(6)}
              tone="mamba"
              testid="y-recurrence"
            />
          </div>
          <div class="figure">
            <h3>{m().convolutionView}</h3>
            <LinePlot
              label={`${m().convolutionView}${shell().colon}${m().filterAt}`}
              x={steps}
              height={200}
              mark={k()}
              lines={[
                { label: m().input, tone: "quiet", values: views().u },
                { label: m().filterAt, tone: "s4", values: reversed(), width: 2.5 },
              ]}
            />
            {/* on an axis of its own: products of two small numbers would be nothing beside the input */}
            <LinePlot
              label={`${m().convolutionView}${shell().colon}${m().product}`}
              x={steps}
              height={130}
              mark={k()}
              lines={[{ label: m().product, tone: "attention", values: product(), shape: "bars" }]}
            />
            <Stat
              label={m().byConvolution}
              value={views().convolved[k()]!.toFixed(6)}
              tone="s4"
              testid="y-convolution"
            />
          </div>
        </div>
        <LinePlot
          label={m().outputs}
          x={steps}
          xLabel={m().stepAxis}
          mark={k()}
          lines={[
            { label: m().recurrentLine, tone: "mamba", values: views().recurrent, width: 2.5 },
            { label: m().convolvedLine, tone: "s4", values: views().convolved, width: 0, points: true },
          ]}
        />
        <div class="split">
          <LinePlot
            label={m().filter}
            x={steps}
            height={150}
            xLabel={m().stepAxis}
            lines={[{ label: m().filter, tone: "s4", values: views().filter, shape: "bars" }]}
          />
          <Stat label={m().difference} value={views().difference.toExponential(2)} testid="difference" />
        </div>
        <CodeBeside of={viewsCode(measure(), n(), delta(), system().C.data, views().u)} />
      </Panel>
      <FilterNumbers k={k()} filter={views().filter} u={views().u} />
      <Timings measure={measure()} n={n()} />
      <FormulaTable
        from={formulas}
        names={["recurrence", "unroll", "convolution"]}
        rows={[
          { symbol: "Ā, B̄", code: "DiscreteSsm.ABar, .BBar", meaning: m().rows.dims },
          { symbol: "xₖ", code: "DiscreteSsm.step()", meaning: m().rows.step },
          { symbol: "x₁ … xₗ", code: "DiscreteSsm.scan()", meaning: m().rows.scan },
          { symbol: "K̄", code: "DiscreteSsm.ssmFilter()", meaning: m().rows.filter },
          { symbol: "K̄ ∗ u", code: "DiscreteSsm.convolve()", meaning: m().rows.convolve },
        ]}
      />
    </Page>
  );
}

function Timings(props: { measure: Measure; n: number }): JSX.Element {
  const remote = engine("views");
  onCleanup(() => remote.close());
  const [timings, setTimings] = createSignal<readonly Timing[]>([]);
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<unknown>();
  async function measure(): Promise<void> {
    setBusy(true);
    setTimings([]);
    setError(undefined);
    try {
      await remote.call(
        "time",
        { measure: props.measure, n: props.n },
        { onEvent: (timing) => setTimings([...timings(), timing]) },
      );
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  }
  const lines = (
    recurrence: keyof Timing,
    convolution: keyof Timing,
  ): { label: string; tone: string; values: number[]; points: boolean }[] => [
    { label: m().recurrentLine, tone: "mamba", values: timings().map((timing) => timing[recurrence]), points: true },
    { label: m().convolvedLine, tone: "s4", values: timings().map((timing) => timing[convolution]), points: true },
  ];
  return (
    <Panel title={m().timing} note={m().timingNote}>
      <div class="row">
        <Button primary disabled={busy()} onClick={() => void measure()} testid="measure">
          {m().measureNow}
        </Button>
      </div>
      <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void measure()} />}</Show>
      <Show when={timings().length > 0}>
        <div class="split" data-testid="timings" data-count={timings().length}>
          <figure class="figure">
            <figcaption>{m().whole}</figcaption>
            <LinePlot
              label={m().whole}
              x={timings().map(({ l }) => l)}
              logX
              logY
              xLabel={m().lengthAxis}
              yLabel={m().msAxis}
              lines={lines("recurrence", "convolution")}
            />
          </figure>
          <figure class="figure">
            <figcaption>{m().next}</figcaption>
            <LinePlot
              label={m().next}
              x={timings().map(({ l }) => l)}
              logX
              logY
              xLabel={m().lengthAxis}
              yLabel={m().msAxis}
              lines={lines("nextByRecurrence", "nextByConvolution")}
            />
          </figure>
        </div>
      </Show>
    </Panel>
  );
}
