import { createEffect, createMemo, createSignal, onCleanup, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Button, Choice, MatrixInput, Slider, Stat, Toggle } from "../../components/controls.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, numbers } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import {
  discreteSystem,
  poles,
  presets,
  run,
  scriptedInput,
  STEP,
  STEPS,
  type InputKind,
  type Preset,
  type Run,
  type SystemNumbers,
} from "./compute.ts";
import { systemCode } from "./code.ts";
import { Dictionary } from "./Dictionary.tsx";
import { flowAt } from "./flow.ts";
import formulas from "./formulas.tex";
import { Maze } from "./Maze.tsx";
import { messages as m } from "./messages.ts";
import { SignalFlow } from "./SignalFlow.tsx";
import { SpringDrawing } from "./SpringDrawing.tsx";

const seconds = Float64Array.from({ length: STEPS }, (_, k) => (k + 1) * STEP);

export function StateSpacePage(): JSX.Element {
  const [flat, setFlat] = useParam("abcd", [0, 1, -4, -0.4, 0, 1, 1, 0, 0], numbers);
  const [kind, setKind] = useParam<InputKind>("input", "impulse", choice("impulse", "step", "sine", "hand"));
  const system = createMemo<SystemNumbers>(() => {
    const list = flat().length === 9 ? flat() : [0, 1, -4, -0.4, 0, 1, 1, 0, 0];
    return { A: list.slice(0, 4), B: list.slice(4, 6), C: list.slice(6, 8), D: list.slice(8) };
  });
  const edit = (part: Partial<SystemNumbers>): void => {
    const { A, B, C, D } = { ...system(), ...part };
    setFlat([...A, ...B, ...C, ...D]);
  };
  const preset = (): Preset | "" =>
    (Object.keys(presets) as Preset[]).find(
      (name) => JSON.stringify({ ...presets[name], D: 0 }) === JSON.stringify({ ...system(), D: 0 }),
    ) ?? "";

  const scripted = createMemo<Run | undefined>(() => {
    const chosen = kind();
    return chosen === "hand" ? undefined : run(system(), scriptedInput(chosen));
  });
  /** What the code drives the system with: a hand cannot be written down. */
  const scriptedKind = (): Exclude<InputKind, "hand"> => {
    const chosen = kind();
    return chosen === "hand" ? "impulse" : chosen;
  };
  const hand = useHand(system, () => kind() === "hand");
  const shown = (): Run => scripted() ?? hand.run();
  const head = usePlayhead(() => scripted());
  const at = (): number => (kind() === "hand" ? STEPS - 1 : head.index());
  const peak = (): number => shown().y.reduce((most, y) => Math.max(most, Math.abs(y)), 0);

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().system} note={m().systemNote}>
        <div class="row">
          <Choice
            label={m().input}
            value={kind()}
            onChange={setKind}
            testid="input"
            options={(["impulse", "step", "sine", "hand"] as const).map((value) => ({
              value,
              label: m().inputs[value],
            }))}
          />
          <Show
            when={kind() === "hand"}
            fallback={<Button onClick={head.toggle}>{head.playing() ? m().pause : m().play}</Button>}
          >
            <Slider
              label={m().drive}
              value={hand.force()}
              min={-5}
              max={5}
              step={0.5}
              onInput={hand.setForce}
              testid="force"
            />
          </Show>
          <Toggle
            label={m().skip}
            checked={system().D[0] !== 0}
            onChange={(on) => edit({ D: [on ? 0.5 : 0] })}
            testid="skip"
          />
        </div>
        <SpringDrawing
          position={shown().x1[at()]!}
          force={shown().u[at()]!}
          label={m().drawing(shown().x1[at()]!.toFixed(2))}
        />
        <LinePlot
          label={m().plot}
          x={seconds}
          xLabel={m().time}
          mark={kind() === "hand" ? STEPS * STEP : (head.index() + 1) * STEP}
          lines={[
            { label: m().lines.u, tone: "quiet", values: shown().u, shape: "steps" },
            { label: m().lines.x1, tone: "attention", values: shown().x1 },
            { label: m().lines.x2, tone: "rnn", values: shown().x2 },
            { label: m().lines.y, tone: "s4", values: shown().y, width: 3 },
          ]}
        />
        <div class="row">
          <MatrixInput label="A" rows={2} cols={2} values={system().A} onChange={(A) => edit({ A })} testid="A" />
          <MatrixInput label="B" rows={2} cols={1} values={system().B} onChange={(B) => edit({ B })} testid="B" />
          <MatrixInput label="C" rows={1} cols={2} values={system().C} onChange={(C) => edit({ C })} testid="C" />
          <MatrixInput label="D" rows={1} cols={1} values={system().D} onChange={(D) => edit({ D })} testid="D" />
        </div>
        <Choice
          label={m().preset}
          value={preset()}
          onChange={(name) => name !== "" && edit({ ...presets[name], D: system().D })}
          options={(Object.keys(presets) as (Preset | "")[]).map((value) => ({
            value,
            label: m().presets[value as Preset],
          }))}
        />
        <div class="stats">
          <Stat label={m().poles} value={poles(system()).text} testid="poles" />
          <Stat
            label={m().stable}
            value={poles(system()).stable ? m().yes : m().no}
            tone={poles(system()).stable ? "good" : "bad"}
          />
          <Stat label={m().peak} value={peak().toPrecision(4)} testid="peak" />
          <Stat
            label={m().last}
            value={`${shown().x1[STEPS - 1]!.toFixed(4)}, ${shown().x2[STEPS - 1]!.toFixed(4)}`}
            testid="last"
          />
        </div>
        <CodeBeside of={systemCode(system(), scriptedKind())} />
      </Panel>
      <Panel title={m().flow} note={m().flowNote}>
        <SignalFlow flow={flowAt(system(), shown(), at())} />
      </Panel>
      <Maze />
      <Dictionary />
      <FormulaTable
        from={formulas}
        names={["state", "output", "spring"]}
        rows={(
          [
            ["x", "state"],
            ["u", "u"],
            ["y", "output"],
            ["A", "ContinuousSsm.A"],
            ["B", "ContinuousSsm.B"],
            ["C", "ContinuousSsm.C"],
            ["D", "ContinuousSsm.D"],
            ["p, v", "state[0], state[1]"],
            ["k, c", "-A[1][0], -A[1][1]"],
          ] as const
        ).map(([symbol, code]) => ({ symbol, code, meaning: m().rows[symbol] }))}
      />
    </Page>
  );
}

/** Moves through a scripted run in real time, once, and stands at its end. */
function usePlayhead(source: () => unknown): { index: () => number; playing: () => boolean; toggle: () => void } {
  const [index, setIndex] = createSignal(STEPS - 1);
  const [playing, setPlaying] = createSignal(false);
  let timer: ReturnType<typeof setInterval> | undefined;
  const pause = (): void => {
    clearInterval(timer);
    setPlaying(false);
  };
  const play = (): void => {
    if (index() >= STEPS - 1) setIndex(0);
    setPlaying(true);
    timer = setInterval(() => (index() >= STEPS - 1 ? pause() : setIndex(index() + 1)), 1000 * STEP);
  };
  createEffect(() => {
    source();
    pause();
    setIndex(STEPS - 1);
  });
  onCleanup(pause);
  return { index, playing, toggle: () => (playing() ? pause() : play()) };
}

/** The visitor is the input: one step of the system a tick, the last 12 seconds kept. */
function useHand(
  system: () => SystemNumbers,
  active: () => boolean,
): { run: () => Run; force: () => number; setForce: (force: number) => void } {
  const empty = (): Run => ({
    u: new Float64Array(STEPS),
    x1: new Float64Array(STEPS),
    x2: new Float64Array(STEPS),
    y: new Float64Array(STEPS),
  });
  const [current, setCurrent] = createSignal<Run>(empty());
  const [force, setForce] = createSignal(0);
  const discrete = createMemo(() => discreteSystem(system()));
  createEffect(() => {
    if (!active()) return;
    let state: Float64Array = new Float64Array(2);
    setCurrent(empty());
    const shift = (values: Float64Array, next: number): Float64Array => {
      const moved = values.slice();
      moved.copyWithin(0, 1);
      moved[STEPS - 1] = next;
      return moved;
    };
    const timer = setInterval(() => {
      const stepped = discrete().step(state, Float64Array.of(force()));
      state = stepped.state.map((x) => Math.max(-1e6, Math.min(1e6, x))); // an unstable system would soon leave every number
      const { u, x1, x2, y } = current();
      setCurrent({
        u: shift(u, force()),
        x1: shift(x1, state[0]!),
        x2: shift(x2, state[1]!),
        y: shift(y, stepped.output[0]!),
      });
    }, 1000 * STEP);
    onCleanup(() => clearInterval(timer));
  });
  return { run: current, force, setForce };
}
