import { createMemo, For, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Slider, Stat } from "../../components/controls.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { number, text } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { stepThrough, turns } from "./compute/rotate.ts";
import { parityCode } from "./code.ts";
import { messages as m } from "./messages.ts";

const MOST = 24;
const fine = stepThrough(0.02, 0.5);

export function Mamba3Page(): JSX.Element {
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Parity />
      <Trapezoid />
    </Page>
  );
}

function Parity(): JSX.Element {
  const [typed, setTyped] = useParam("bits", "1011010111", text);
  const [share, setShare] = useParam("turn", 0.5, number(0, 1));
  const [keep, setKeep] = useParam("keep", 0.8, number(0, 1));
  const bits = createMemo(() =>
    [...typed()]
      .filter((c) => c === "0" || c === "1")
      .slice(0, MOST)
      .map(Number),
  );
  const told = createMemo(() => turns(bits(), 2 * Math.PI * share(), keep()));
  const ones = createMemo(() => {
    let sum = 0;
    return bits().map((bit) => (sum += bit));
  });
  const isOdd = (i: number): boolean => ones()[i]! % 2 === 1;
  const right = (): number => told().filter(({ odd }, i) => odd === isOdd(i)).length;
  /** Whether the fading states of odd counts and of even counts lie among each other. */
  const clash = (): boolean => {
    const of = (odd: boolean): number[] => told().flatMap(({ faded }, i) => (isOdd(i) === odd ? [faded] : []));
    const [odd, even] = [of(true), of(false)];
    if (odd.length === 0 || even.length === 0) return false;
    return Math.max(...even) >= Math.min(...odd) && Math.max(...odd) >= Math.min(...even);
  };
  const word = (odd: boolean): string => (odd ? m().yes : m().no);
  const last = (): { re: number; im: number } => told().at(-1) ?? { re: 1, im: 0 };
  return (
    <Panel title={m().parity} note={m().parityNote}>
      <div class="row">
        <label class="field">
          <span>{m().bits}</span>
          <input
            type="text"
            inputmode="numeric"
            value={typed()}
            onInput={(event) => setTyped(event.currentTarget.value)}
            data-testid="bits"
          />
        </label>
        <Slider label={m().angle} value={share()} min={0} max={1} step={1 / 12} onInput={setShare} testid="turn" />
        <Slider label={m().keep} value={keep()} min={0} max={1} step={0.05} onInput={setKeep} testid="keep" />
      </div>
      <div class="split">
        <div class="scroll tall" tabIndex={0} role="group" aria-label={m().table}>
          <table data-testid="turns">
            <thead>
              <tr>
                <For each={Object.values(m().columns)}>
                  {(name) => (
                    <th class="number" scope="col">
                      {name}
                    </th>
                  )}
                </For>
              </tr>
            </thead>
            <tbody>
              <For each={told()}>
                {({ angle, re, faded, odd }, i) => (
                  <tr>
                    <td class="number">{bits()[i()]}</td>
                    <td class="number">{ones()[i()]}</td>
                    <td class="number">{((angle * 180) / Math.PI).toFixed(0)}</td>
                    <td class="number">{re.toFixed(3)}</td>
                    <td class="number">{faded.toFixed(3)}</td>
                    <td class="number">{word(odd)}</td>
                    <td class="number">{word(isOdd(i()))}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
        <figure class="figure">
          <svg
            viewBox="-60 -60 120 120"
            role="img"
            aria-label={m().hand}
            style={{ "max-width": "14rem" }}
            data-testid="hand"
          >
            <circle r="50" fill="var(--surface)" stroke="var(--line)" stroke-width="2" />
            <path d="M0 -50V50" stroke="var(--grid)" stroke-width="2" />
            <line
              x2={46 * last().re}
              y2={-46 * last().im}
              stroke="var(--mamba)"
              stroke-width="5"
              stroke-linecap="round"
            />
            <circle r="4" fill="var(--mamba)" />
          </svg>
          <figcaption>{m().hand}</figcaption>
        </figure>
      </div>
      <div class="stats stays">
        <Stat label={m().right} value={`${right()} / ${bits().length}`} tone="mamba" testid="right" />
        <Stat label={m().clash} value={clash() ? m().clashYes : m().clashNo} tone="s4" testid="clash" />
      </div>
      <CodeBeside of={parityCode(bits(), share())} />
    </Panel>
  );
}

function Trapezoid(): JSX.Element {
  const [delta, setDelta] = useParam("delta", 0.4, number(0.1, 1, 0.1));
  const [lambda, setLambda] = useParam("lambda", 1, number(0, 1, 0.05));
  const told = createMemo(() => stepThrough(delta(), lambda()));
  // the steps on the fine axis of the truth: each shown where it falls
  const shown = createMemo(() => {
    const values = new Array<number | null>(fine.times.length).fill(null);
    told().times.forEach((t, k) => {
      const at = Math.round(t / 0.02);
      if (at < values.length) values[at] = told().stepped[k]!;
    });
    return values;
  });
  return (
    <Panel title={m().trapezoid} note={m().trapezoidNote}>
      <div class="row">
        <Slider label={m().step} value={delta()} min={0.1} max={1} step={0.1} onInput={setDelta} testid="delta" />
        <Slider label={m().lambda} value={lambda()} min={0} max={1} step={0.05} onInput={setLambda} testid="lambda" />
      </div>
      <LinePlot
        label={m().plot}
        x={fine.times}
        xLabel={m().seconds}
        lines={[
          { label: m().truth, tone: "quiet", values: fine.truth, width: 5 },
          { label: m().stepped, tone: "mamba", values: shown(), width: 0, points: true },
        ]}
      />
      <div class="stats">
        <Stat label={m().error} value={told().error.toFixed(5)} tone="mamba" testid="error" />
        <Stat label={m().one} value={stepThrough(delta(), 1).error.toFixed(5)} testid="error-one" />
        <Stat label={m().half} value={stepThrough(delta(), 0.5).error.toFixed(5)} testid="error-half" />
      </div>
    </Panel>
  );
}
