import { createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { RunButton } from "../../components/RunButton.tsx";
import { Button, Progress, Slider, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { Panel } from "../../components/Page.tsx";
import { number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import type { BackendName } from "../../workers/backendNames.ts";
import { apart } from "../../workers/engine.ts";
import { roundingCode } from "./code.ts";
import type { CaseRow, DeviceReport, GeneratedEvent } from "./compute/generated.ts";
import { ROUNDED, roundingOf } from "./compute/rounding.ts";
import { conformanceReport, saveAsFile } from "./conformanceReport.ts";
import { messages as m } from "./messages.ts";

const MOST_CASES = 12_000;

/** Cases that are drawn from a seed, on the visitor's own device; the file that comes of it goes into an issue. */
export function GeneratedPanel(props: { backends: () => readonly BackendName[] }): JSX.Element {
  const [seed, setSeed] = useParam("seed", 1, number(1, 1_000_000, 1));
  const [count, setCount] = useParam("count", 300, number(10, MOST_CASES, 10));
  const [rows, setRows] = createSignal<readonly CaseRow[]>([]);
  const [devices, setDevices] = createSignal<readonly DeviceReport[]>([]);
  const [done, setDone] = createSignal(0);
  const [total, setTotal] = createSignal(1);
  const [run, setRun] = createSignal<AbortController>();
  const [error, setError] = createSignal<unknown>();
  /** What the rows on the page were asked for with. */
  const [asked, setAsked] = createSignal({ seed: 1, count: 0 });
  let remote: ReturnType<typeof apart<"machine">> | undefined;
  onCleanup(() => remote?.close());

  const cases = (): number => rows().reduce((sum, row) => sum + row.cases, 0);
  const faults = (): number => rows().reduce((sum, row) => sum + row.faults.length, 0);
  const hear = (event: GeneratedEvent): void => {
    if (event.kind === "device") setDevices([...devices(), event]);
    else {
      setRows([...rows().filter(({ backend }) => backend !== event.backend), ...event.rows]);
      setDone(event.done);
    }
  };

  async function start(): Promise<void> {
    remote?.close();
    remote = apart("machine");
    const own = new AbortController();
    const input = { backends: props.backends(), seed: seed(), count: count() };
    setRun(own);
    setRows([]);
    setDevices([]);
    setDone(0);
    setTotal(Math.max(1, input.backends.length * input.count));
    setError(undefined);
    setAsked({ seed: input.seed, count: input.count });
    try {
      await remote.call("generated", input, { signal: own.signal, onEvent: hear });
    } catch (failure) {
      setError(failure);
    }
    setRun(undefined);
  }

  const save = (): void =>
    saveAsFile(
      `conformance-seed-${asked().seed}.json`,
      conformanceReport({ ...asked(), devices: devices(), rows: rows() }),
    );

  return (
    <Panel title={m().generated} note={m().generatedNote}>
      <div class="row">
        <Slider
          label={m().seed}
          value={seed()}
          min={1}
          max={1000}
          step={1}
          show={String}
          onInput={setSeed}
          testid="seed"
        />
        <Slider
          label={m().count}
          value={count()}
          min={10}
          max={3000}
          step={10}
          show={String}
          onInput={setCount}
          testid="count"
        />
        <RunButton
          run={run()}
          onRun={() => void start()}
          disabled={props.backends().length === 0}
          testid="run-generated"
          cancelTestid="cancel-generated"
        >
          {m().runGenerated}
        </RunButton>
      </div>
      <Show when={run()}>
        <Progress label={m().progress(done(), total())} value={done()} max={total()} />
      </Show>
      <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void start()} />}</Show>
      <For each={devices().filter(({ absent }) => absent !== undefined)}>
        {({ backend, absent }) => <p class="failure">{m().absent(backend, absent!)}</p>}
      </For>
      <Show when={rows().length > 0}>
        <div class="row">
          <Stat label={m().casesRun} value={String(cases())} testid="generated-cases" />
          <Stat
            label={m().faults}
            value={String(faults())}
            tone={faults() === 0 ? "good" : "bad"}
            testid="generated-faults"
          />
          <Button disabled={run() !== undefined} onClick={save} testid="save-generated">
            {m().saveReport}
          </Button>
        </div>
        <WorstErrors rows={rows()} />
      </Show>
      <Stat label={m().rounding(ROUNDED)} value={m().units(roundingOf(seed()).toPrecision(4))} testid="rounding" />
      <CodeBeside of={roundingCode(seed())} />
    </Panel>
  );
}

const figure = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toFixed(1));

/** Rows of the table, beside those with faults; the file has all. */
const SHOWN = 20;

/** The worst errors beside their bounds, nearest to it first. */
function WorstErrors(props: { rows: readonly CaseRow[] }): JSX.Element {
  const sorted = (): readonly CaseRow[] =>
    props.rows
      .toSorted((x, y) => y.faults.length - x.faults.length || y.used - x.used || x.op.localeCompare(y.op))
      .filter(({ faults }, i) => faults.length > 0 || i < SHOWN);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={m().generated}>
      <table data-testid="generated">
        <thead>
          <tr>
            <For each={m().generatedColumns}>{(title) => <th scope="col">{title}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={sorted()}>
            {(row) => (
              <tr>
                <th scope="row">
                  <code>{row.op}</code>
                </th>
                <td>{row.backend}</td>
                <td>{m().directions[row.direction]}</td>
                <td>{row.cases}</td>
                <td>{row.bound === 0 ? "" : m().ofBound(figure(row.error), figure(row.bound))}</td>
                <td style={{ color: row.faults.length > 0 ? "var(--bad)" : "var(--good)" }}>
                  {row.faults.length === 0 ? "✓" : `✗ ${row.faults.length}: ${row.faults[0]!.why}`}
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <Show when={props.rows.length > sorted().length}>
        <p class="note">{m().moreRows(props.rows.length - sorted().length)}</p>
      </Show>
    </div>
  );
}
