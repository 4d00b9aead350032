import { createMemo, For, onCleanup, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Choice, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { Plane, type PlanePoint } from "../../components/Plane.tsx";
import { choice, number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { useLatest } from "../../workers/latest.ts";
import { engine } from "../../workers/engine.ts";

import { fitCode } from "./code.ts";
import { INITS, TAPS, TARGETS, type InitName, type TargetName } from "./compute/names.ts";
import type { InitView } from "./compute/s4Api.ts";
import formulas from "./formulas.tex";
import { Parts } from "./Parts.tsx";
import { messages as m } from "./messages.ts";

const TONES: Readonly<Record<InitName, string>> = {
  legs: "mamba",
  lin: "attention",
  inv: "rnn",
  real: "s4",
  random: "bad",
};
const WAVE_TONES = ["mamba", "s4", "attention", "rnn", "bad", "quiet"];
const taps = Float64Array.from({ length: TAPS }, (_, t) => t);

export function S4Page(): JSX.Element {
  const remote = engine("s4");
  onCleanup(() => remote.close());
  const [init, setInit] = useParam<InitName>("init", "lin", choice(...INITS));
  const [n, setN] = useParam("n", 32, number(4, 64, 4));
  const [delta, setDelta] = useParam("delta", 0.01, number(0.002, 0.2));
  const [wanted, setWanted] = useParam<TargetName>("target", "echo", choice(...TARGETS));
  const [lag, setLag] = useParam("lag", 80, number(5, 180, 5));
  const found = useLatest(
    () => ({ n: n(), delta: delta(), target: wanted(), lag: lag() }),
    (input) => remote.call("inits", input),
  );
  const view = (): InitView | undefined => found.value()?.views[init()];
  const extent = createMemo(() => Math.max(2, ...Array.from(view()?.eigenvalues ?? [], Math.abs)));
  const points = (): PlanePoint[] => {
    const values = view()?.eigenvalues ?? new Float64Array();
    return Array.from({ length: values.length }, (_, i) => ({
      re: values[2 * (i >> 1)]!,
      im: (i % 2 === 0 ? 1 : -1) * values[2 * (i >> 1) + 1]!,
      tone: TONES[init()],
    }));
  };

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().eigen} note={m().eigenNote}>
        <div class="row">
          <Choice
            label={m().init}
            value={init()}
            onChange={setInit}
            testid="init"
            options={INITS.map((value) => ({ value, label: m().inits[value] }))}
          />
          <Slider label={m().n} value={n()} min={4} max={64} step={4} onInput={setN} testid="n" />
          <Slider
            label={m().delta}
            value={delta()}
            min={0.002}
            max={0.2}
            log
            show={(value) => value.toFixed(4)}
            onInput={setDelta}
            testid="delta"
          />
        </div>
        <Show when={found.error()}>{(error) => <Failure error={error()} again={found.again} />}</Show>
        <div class="split opens">
          <div class="stays">
            <Plane
              label={m().plane}
              caption={m().planeCaption(m().inits[init()], extent().toFixed(0))}
              region="left"
              extent={extent()}
              points={points()}
            />
          </div>
          <figure class="figure">
            <LinePlot
              label={m().waves}
              x={taps}
              xLabel={m().tapAxis}
              lines={(view()?.waves ?? []).map((values, i) => ({
                label: m().wave(i + 1),
                tone: WAVE_TONES[i]!,
                values,
                width: 1.6,
              }))}
            />
            <figcaption>{m().waves}</figcaption>
          </figure>
        </div>
      </Panel>
      <Parts delta={delta()} n={n()} view={view()} />
      <Panel title={m().fit} note={m().fitNote}>
        <div class="row">
          <Choice
            label={m().target}
            value={wanted()}
            onChange={setWanted}
            testid="target"
            options={TARGETS.map((value) => ({ value, label: m().targets[value] }))}
          />
          <Slider label={m().lag} value={lag()} min={5} max={180} step={5} onInput={setLag} testid="lag" />
        </div>
        <LinePlot
          label={m().fits}
          x={taps}
          xLabel={m().tapAxis}
          height={280}
          lines={[
            { label: m().wanted, tone: "quiet", values: found.value()?.wanted ?? [], width: 6 },
            ...INITS.map((name) => ({
              label: m().inits[name],
              tone: TONES[name],
              values: found.value()?.views[name].fit.filter ?? [],
              width: 2,
            })),
          ]}
        />
        <div class="stats">
          <For each={INITS}>
            {(name) => {
              const error = (): number | undefined => found.value()?.views[name].fit.error;
              return (
                <Stat
                  label={m().error(m().inits[name])}
                  value={error() === undefined ? "–" : `${(100 * error()!).toFixed(2)} %`}
                  tone={TONES[name]}
                  testid={`error-${name}`}
                />
              );
            }}
          </For>
        </div>
        <Show when={view()}>
          {(seen) => (
            <CodeBeside
              of={fitCode(init(), seen().eigenvalues, { n: n(), delta: delta(), target: wanted(), lag: lag() })}
            />
          )}
        </Show>
      </Panel>
      <FormulaTable
        from={formulas}
        names={["nplr", "filter", "lin", "inv", "real"]}
        labels={{ nplr: "S4", filter: "S4D", lin: m().inits.lin, inv: m().inits.inv, real: m().inits.real }}
        rows={[
          { symbol: "Λ, P", code: 'makeNplr("legs", n)', meaning: m().rows.nplr },
          { symbol: "K̄", code: "vandermonde()", meaning: m().rows.vander },
          { symbol: "A", code: 's4dConfig(h, { init: "lin" })', meaning: m().rows.config },
          { symbol: "y", code: "S4Mixer.forward()", meaning: m().rows.mixer },
          { symbol: "xₖ", code: "S4Mixer.step()", meaning: m().rows.step },
        ]}
      />
    </Page>
  );
}
