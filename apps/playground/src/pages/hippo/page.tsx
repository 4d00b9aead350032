import { makeHippo, type HippoForm, type HippoMeasure } from "@statespace/core/hippo";
import { createMemo, For, onCleanup, Show, type JSX } from "solid-js";
import { shell } from "../../shell/shellMessages.ts";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Choice, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { HeatMap } from "../../components/HeatMap.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, number, numbers } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { useLatest } from "../../workers/latest.ts";
import { engine } from "../../workers/engine.ts";

import { MEMORIES, type MemoryName, type Remembered } from "./compute/remember.ts";
import { DRAWN_POINTS, LENGTH, makeSignal, SIGNALS, type SignalName } from "./compute/signals.ts";
import { stroke, type Spot } from "./drawing.ts";
import formulas from "./formulas.tex";
import { legsCode } from "./code.ts";
import { messages as m } from "./messages.ts";

const TONES: Readonly<Record<MemoryName, string>> = { legs: "mamba", legt: "attention", fourier: "rnn", random: "s4" };
const MEASURES = ["legs", "legt", "fourier"] as const satisfies readonly HippoMeasure[];
const FORMS: readonly HippoForm[] = ["scaled", "unscaled"];
const START_DRAWING = Array.from({ length: DRAWN_POINTS }, (_, i) => 0.6 * Math.sin(i / 5));
const positions = Float64Array.from({ length: LENGTH }, (_, i) => i);

export function HippoPage(): JSX.Element {
  const remote = engine("hippo");
  onCleanup(() => remote.close());
  const [name, setName] = useParam<SignalName>("signal", "noise", choice(...SIGNALS));
  const [n, setN] = useParam("n", 32, number(4, 64, 4));
  const [now, setNow] = useParam("now", LENGTH, number(40, LENGTH, 10));
  const [window, setWindow] = useParam("window", 300, number(60, LENGTH, 10));
  const [drawn, setDrawn] = useParam<readonly number[]>("draw", START_DRAWING, numbers);
  const [measure, setMeasure] = useParam<(typeof MEASURES)[number]>("measure", "legs", choice(...MEASURES));
  const signal = createMemo(() => makeSignal(name(), drawn()));
  const told = useLatest(
    () => ({ signal: signal(), n: n(), now: now(), window: window() }),
    (input) => remote.call("remember", input),
  );
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().figure} note={`${m().note} ${name() === "drawn" ? "" : m().drawNote}`}>
        <Choice
          label={m().signal}
          value={name()}
          onChange={setName}
          testid="signal"
          options={SIGNALS.map((value) => ({ value, label: m().signals[value] }))}
        />
        <div class="row">
          <Slider label={m().n} value={n()} min={4} max={64} step={4} onInput={setN} testid="n" />
          <Slider label={m().now} value={now()} min={40} max={LENGTH} step={10} onInput={setNow} testid="now" />
          <Slider
            label={m().window}
            value={window()}
            min={60}
            max={LENGTH}
            step={10}
            onInput={setWindow}
            testid="window"
          />
        </div>
        <Show when={name() === "drawn"}>
          <Sketch points={drawn()} onChange={setDrawn} />
        </Show>
        <Show when={told.error()}>{(error) => <Failure error={error()} again={told.again} />}</Show>
        <LinePlot
          label={m().plot}
          x={positions}
          xLabel={m().time}
          yRange={[-1.6, 1.6]}
          height={300}
          mark={now()}
          lines={[
            { label: m().input, tone: "quiet", values: signal(), width: 5 },
            ...MEMORIES.toReversed().map((memory) => ({
              label: m().memories[memory],
              tone: TONES[memory],
              values: extended(told.value()?.[memory]),
              width: memory === "legs" ? 2.5 : 1.5,
            })),
          ]}
        />
        <div class="stats">
          <For each={MEMORIES}>
            {(memory) => (
              <Stat
                label={m().error(m().memories[memory])}
                value={told.value()?.[memory].error.toFixed(4) ?? "–"}
                tone={TONES[memory]}
                testid={`error-${memory}`}
              />
            )}
          </For>
        </div>
        <figure class="figure">
          <figcaption>{m().coefficients}</figcaption>
          <For each={MEMORIES}>
            {(memory) => (
              <div class="labelled">
                <span style={{ color: `var(--${TONES[memory]})` }}>{m().memories[memory]}</span>
                <HeatMap
                  label={`${m().coefficients}${shell().colon}${m().memories[memory]}`}
                  rows={1}
                  cols={n()}
                  values={told.value()?.[memory].coefficients ?? new Float64Array(n())}
                  signed
                  height="22px"
                />
              </div>
            )}
          </For>
        </figure>
      </Panel>
      <Panel title={m().matrices} note={m().matricesNote}>
        <Choice
          label={m().measure}
          value={measure()}
          onChange={setMeasure}
          testid="measure"
          options={MEASURES.map((value) => ({ value, label: m().memories[value] }))}
        />
        <div class="split">
          <For each={FORMS}>{(form) => <MatrixView measure={measure()} n={n()} form={form} />}</For>
        </div>
      </Panel>
      <CodeBeside of={legsCode(n())} />
      <FormulaTable
        from={formulas}
        names={["legs", "matrix", "read"]}
        rows={[
          { symbol: "x", code: "LegSMemory.coefficients", meaning: m().rows.x },
          { symbol: "A", code: 'makeHippo("legs", n).A', meaning: m().rows.A },
          { symbol: "B", code: 'makeHippo("legs", n).B', meaning: m().rows.B },
          { symbol: "Pₙ", code: "legendreBasis", meaning: m().rows.P },
          { symbol: "N", code: "n", meaning: m().rows.N },
        ]}
      />
    </Page>
  );
}

/** What a memory tells, over the whole axis: gaps where it tells nothing. */
function extended(remembered: Remembered | undefined): (number | null)[] {
  return Array.from(positions, (i) => {
    const value = remembered?.history[i];
    return value === undefined || Number.isNaN(value) ? null : value;
  });
}

function MatrixView(props: { measure: HippoMeasure; n: number; form: HippoForm }): JSX.Element {
  const A = createMemo(() => makeHippo(props.measure, props.n, props.form).A);
  const corner = (): string[][] =>
    Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, k) => String(+A().at(i, k).toFixed(2))));
  const label = (): string => `A, ${m().memories[props.measure as MemoryName]}, ${m().form(props.form === "scaled")}`;
  return (
    <figure class="figure">
      <figcaption>{label()}</figcaption>
      <HeatMap label={label()} rows={props.n} cols={props.n} values={A().data} signed square />
      <table aria-label={`${m().corner}${shell().colon}${label()}`} data-testid={`corner-${props.form}`}>
        <tbody>
          <For each={corner()}>
            {(row) => (
              <tr>
                <For each={row}>{(value) => <td class="number">{value}</td>}</For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </figure>
  );
}

/** A box to draw in with mouse, pen or finger. */
function Sketch(props: { points: readonly number[]; onChange: (points: readonly number[]) => void }): JSX.Element {
  let pen: Spot | undefined;
  const path = (): string =>
    props.points
      .map((y, i) => `${i === 0 ? "M" : "L"}${(i / (props.points.length - 1)) * 600} ${75 - 70 * y}`)
      .join("");
  const onPointer = (event: PointerEvent & { currentTarget: SVGSVGElement }): void => {
    if (event.buttons === 0) return;
    if (event.type === "pointerdown") {
      pen = undefined;
      event.currentTarget.setPointerCapture(event.pointerId);
    }
    const box = event.currentTarget.getBoundingClientRect();
    const spot = (at: PointerEvent): Spot => ({
      x: (at.clientX - box.left) / box.width,
      y: (75 - (150 * (at.clientY - box.top)) / box.height) / 70,
    });
    // a browser tells of a fast hand a few times a frame at most, and of the places between only when asked
    const between = event.getCoalescedEvents?.() ?? [];
    let points = props.points;
    for (const to of (between.length > 0 ? between : [event]).map(spot)) {
      points = stroke(points, pen ?? to, to);
      pen = to;
    }
    props.onChange(points);
  };
  return (
    <svg
      class="sketch"
      viewBox="0 0 600 150"
      preserveAspectRatio="none"
      role="img"
      aria-label={m().drawArea}
      data-testid="sketch"
      onPointerDown={onPointer}
      onPointerMove={onPointer}
    >
      <path d="M0 75H600" stroke="var(--line)" />
      <path d={path()} stroke="var(--accent)" stroke-width="3" fill="none" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
