import { createMemo, For, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Choice, Slider, Toggle } from "../../components/controls.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import type { Line } from "../../components/line.ts";
import { Page, Panel } from "../../components/Page.tsx";
import { Plane, type PlanePoint } from "../../components/Plane.tsx";
import { choice, number, text } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { discretizeAll, fitOrders, moduli, RULE_NAMES, type Fate, type RuleName, type SignalName } from "./compute.ts";
import { LearnedStep } from "./LearnedStep.tsx";
import formulas from "./formulas.tex";
import { rulesCode } from "./code.ts";
import { messages as m } from "./messages.ts";

const TONES: Readonly<Record<RuleName, string>> = {
  zoh: "mamba",
  bilinear: "attention",
  forward: "s4",
  backward: "rnn",
};
const FATE_COLORS: Readonly<Record<Fate, string>> = {
  fades: "var(--good)",
  swings: "var(--ink)",
  explodes: "var(--bad)",
};
const MARKS: Readonly<Record<RuleName, NonNullable<PlanePoint["mark"]>>> = {
  zoh: "ring",
  bilinear: "dot",
  forward: "cross",
  backward: "square",
};

export function DiscretizePage(): JSX.Element {
  const [signal, setSignal] = useParam<SignalName>("signal", "wave", choice("wave", "steps", "chirp"));
  const [delta, setDelta] = useParam("delta", 0.1, number(0.02, 1));
  const [damping, setDamping] = useParam("damping", 0.3, number(0, 3));
  const [shown, setShown] = useParam("rules", "zoh,bilinear,forward", text);
  const isShown = (name: RuleName): boolean => shown().split(",").includes(name);
  const show = (name: RuleName, on: boolean): void =>
    setShown(RULE_NAMES.filter((each) => (each === name ? on : isShown(each))).join(",") || "none");

  const all = createMemo(() => discretizeAll(signal(), delta(), damping()));
  const orders = createMemo(() => fitOrders(damping()));
  const lines = createMemo<{ x: Float64Array; lines: Line[] }>(() => {
    const { fineTimes, fineTruth, held, outputs } = all();
    const fine = fineTimes.length / held.length;
    // dots stand at the end of each step on the fine time axis
    const dots = (values: Float64Array): (number | null)[] =>
      Array.from(fineTimes, (_, i) => ((i + 1) % fine === 0 ? bounded(values[(i + 1) / fine - 1]!) : null));
    return {
      x: fineTimes,
      lines: [
        { label: m().held, tone: "line", values: Array.from(fineTimes, (_, i) => held[Math.floor(i / fine)]!) },
        { label: m().truth, tone: "quiet", values: fineTruth, width: 3 },
        ...RULE_NAMES.filter(isShown).map((name) => ({
          label: m().rules[name],
          tone: TONES[name],
          values: dots(outputs[name]),
          points: true,
          width: 0,
        })),
      ],
    };
  });

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().figure} note={m().note}>
        <div class="row">
          <Slider
            label={m().delta}
            value={delta()}
            min={0.02}
            max={1}
            log
            show={(value) => value.toFixed(3)}
            onInput={setDelta}
            testid="delta"
          />
          <Slider
            label={m().damping}
            value={damping()}
            min={0}
            max={3}
            step={0.05}
            onInput={setDamping}
            testid="damping"
          />
          <Choice
            label={m().signal}
            value={signal()}
            onChange={setSignal}
            options={(["wave", "steps", "chirp"] as const).map((value) => ({ value, label: m().signals[value] }))}
          />
        </div>
        <div class="row" role="group" aria-label={m().shown}>
          <For each={RULE_NAMES}>
            {(name) => (
              <Toggle
                label={m().rules[name]}
                checked={isShown(name)}
                onChange={(on) => show(name, on)}
                testid={`show-${name}`}
              />
            )}
          </For>
        </div>
        <p class="note" data-testid="edge">
          {all().edge > 0 ? m().edge(all().edge.toFixed(3), all().fate.forward === "explodes") : m().noEdge}
        </p>
        <LinePlot
          label={m().plot}
          x={lines().x}
          lines={lines().lines}
          xLabel={m().time}
          yRange={[-2, 2]}
          height={280}
        />
        <div class="thirds">
          <Plane
            label={m().planeLabel}
            caption={m().continuousPlane}
            region="left"
            extent={4}
            points={pointsOf(all().poles, "quiet", "dot")}
          />
          <Plane
            label={m().planeLabel}
            caption={m().discretePlane}
            region="disc"
            extent={1.6}
            points={RULE_NAMES.filter(isShown).flatMap((name) =>
              pointsOf(all().discretePoles[name], TONES[name], MARKS[name]),
            )}
          />
        </div>
      </Panel>
      <Panel title={m().table} note={m().tableNote}>
        <div class="split">
          <div class="scroll" tabIndex={0} role="group" aria-label={m().table}>
            <table data-testid="rules">
              <thead>
                <tr>
                  <For each={[m().rule, m().error, m().order, m().magnitude, m().stability]}>
                    {(title) => <th scope="col">{title}</th>}
                  </For>
                </tr>
              </thead>
              <tbody>
                <For each={RULE_NAMES}>
                  {(name) => (
                    <tr>
                      <th scope="row" style={{ color: `var(--${TONES[name]})` }}>
                        {m().rules[name]}
                      </th>
                      <td data-testid={`error-${name}`}>
                        {all().maxError[name] > 1e6 ? "> 10⁶" : all().maxError[name].toExponential(2)}
                      </td>
                      <td data-testid={`order-${name}`}>{orders().order[name]?.toFixed(2) ?? m().exact}</td>
                      <td>{Math.max(...moduli(all().discretePoles[name])).toFixed(3)}</td>
                      <td style={{ color: FATE_COLORS[all().fate[name]] }} data-testid={`stable-${name}`}>
                        {m().fates[all().fate[name]]}
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
          <LinePlot
            label={m().errorPlot}
            x={orders().deltas.toReversed()}
            logX
            logY
            xLabel="Δ"
            yLabel={m().errorAxis}
            height={220}
            lines={RULE_NAMES.filter((name) => name !== "zoh").map((name) => ({
              label: m().rules[name],
              tone: TONES[name],
              values: orders().errors[name].toReversed(),
              points: true,
            }))}
          />
        </div>
      </Panel>
      <CodeBeside of={rulesCode(delta(), damping())} />
      <LearnedStep />
      <FormulaTable
        from={formulas}
        names={["discrete", "zoh", "bilinear", "forward"]}
        labels={{ zoh: m().rules.zoh, bilinear: m().rules.bilinear, forward: m().rules.forward }}
        rows={[
          { symbol: "Δ", code: "delta", meaning: m().rows.delta },
          { symbol: "Ā", code: "ABar", meaning: m().rows.ABar },
          { symbol: "B̄", code: "BBar", meaning: m().rows.BBar },
          { symbol: "ZOH", code: "zeroOrderHold", meaning: m().rows.zoh },
          { symbol: m().rules.bilinear, code: "bilinear", meaning: m().rows.bilinear },
          { symbol: m().rules.forward, code: "forwardEuler", meaning: m().rows.euler },
        ]}
      />
    </Page>
  );
}

function pointsOf(poles: Float64Array, tone: string, mark: NonNullable<PlanePoint["mark"]>): PlanePoint[] {
  return Array.from({ length: poles.length / 2 }, (_, i) => ({ re: poles[2 * i]!, im: poles[2 * i + 1]!, tone, mark }));
}

/** Exploding values leave the plot instead of its number range. */
function bounded(value: number): number | null {
  return Math.abs(value) < 50 ? value : null;
}
