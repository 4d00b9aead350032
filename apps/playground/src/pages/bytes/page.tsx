import { createMemo, createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { RunButton } from "../../components/RunButton.tsx";
import { Slider, Stat, Toggle } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, number } from "../../shell/codecs.ts";
import { notateSymbol, notation } from "../../shell/notation.ts";
import { useParam } from "../../shell/route.ts";
import { engine } from "../../workers/engine.ts";
import { ledgerCode } from "./code.ts";
import type { Measured, Told } from "./compute/bytesApi.ts";
import {
  bytesMoved,
  bytesOf,
  keptBytes,
  kernelsOf,
  totalBytes,
  type Kernel,
  type Settings,
  type TensorName,
} from "./compute/ledger.ts";
import { messages as m } from "./messages.ts";
import "./style.css";

const SYMBOLS: Readonly<Record<TensorName, string>> = {
  u: "u",
  delta: "Δ",
  A: "A",
  B: "B",
  C: "C",
  y: "y",
  ABar: "Ā",
  Bu: "B̄ u",
  x: "x",
  corners: "x / 64",
  dy: "∂y",
  g: "∂x",
  du: "∂u",
  ddelta: "∂Δ",
  dA: "∂A",
  dB: "∂B",
  dC: "∂C",
};

/** Data sheet of an A100: bytes and float32 operations a second; about eight operations a number of a state. */
const CARD = { bandwidth: 1.555e12, operations: 19.5e12, perNumber: 8 };

export const shownBytes = (bytes: number): string =>
  bytes < 1e6
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`;

const onOff = choice("on", "off");

function useSwitch(name: string, initial: boolean): [() => boolean, (on: boolean) => void] {
  const [value, setValue] = useParam<"on" | "off">(name, initial ? "on" : "off", onOff);
  return [() => value() === "on", (on) => setValue(on ? "on" : "off")];
}

export function BytesPage(): JSX.Element {
  const [fused, setFused] = useSwitch("fused", false);
  const [training, setTraining] = useSwitch("training", false);
  const [recompute, setRecompute] = useSwitch("recompute", false);
  const [l, setL] = useParam("l", 1024, number(256, 4096, 256));
  const [d, setD] = useParam("d", 64, number(16, 256, 16));
  const [n, setN] = useParam("n", 16, number(4, 64, 4));
  const settings = createMemo<Settings>(() => ({
    l: l(),
    d: d(),
    n: n(),
    fused: fused(),
    training: training(),
    recompute: training() && recompute(),
  }));
  const plain = (): number => totalBytes({ ...settings(), fused: false, recompute: false });
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().figure} note={m().figureNote}>
        <div class="row">
          <Toggle label={m().fused} checked={fused()} onChange={setFused} testid="fused" />
          <Toggle label={m().training} checked={training()} onChange={setTraining} testid="training" />
          <Toggle
            label={m().recompute}
            checked={recompute()}
            onChange={setRecompute}
            disabled={!training()}
            testid="recompute"
          />
        </div>
        <div class="row">
          <Slider
            label={m().length}
            value={l()}
            min={256}
            max={4096}
            step={256}
            show={String}
            onInput={setL}
            testid="l"
          />
          <Slider
            label={m().channels}
            value={d()}
            min={16}
            max={256}
            step={16}
            show={String}
            onInput={setD}
            testid="d"
          />
          <Slider label={m().states} value={n()} min={4} max={64} step={4} show={String} onInput={setN} testid="n" />
        </div>
        <Parcels settings={settings()} />
        <div class="stats stays">
          <Stat label={m().moved} value={shownBytes(totalBytes(settings()))} tone="s4" testid="moved" />
          <Stat label={m().kept} value={shownBytes(keptBytes(settings()))} tone="attention" testid="kept" />
          <Stat label={m().against} value={m().times((totalBytes(settings()) / plain()).toFixed(3))} testid="against" />
        </div>
        <Card settings={settings()} />
        <CodeBeside of={ledgerCode(settings())} />
      </Panel>
      <Measurements settings={settings()} />
    </Page>
  );
}

/** A row a kernel: parcels in, the fast memory, parcels out. */
function Parcels(props: { settings: Settings }): JSX.Element {
  const kernels = (): Kernel[] => kernelsOf(props.settings);
  // one scale for all switches, so that what disappears is seen to disappear
  const most = (): number =>
    Math.max(
      ...kernelsOf({ fused: false, training: props.settings.training, recompute: false }).flatMap(({ reads, writes }) =>
        [reads, writes].map((side) => side.reduce((sum, tensor) => sum + bytesOf(tensor, props.settings), 0)),
      ),
    );
  const parcels = (tensors: readonly TensorName[]): JSX.Element => (
    <For each={tensors}>
      {(tensor) => {
        const bytes = (): number => bytesOf(tensor, props.settings);
        const name = (): string => notateSymbol(SYMBOLS[tensor], notation());
        return (
          <span
            class="parcel"
            classList={{ large: bytes() > most() / 12 }}
            style={{ "--share": bytes() / most() }}
            title={m().parcel(name(), shownBytes(bytes()))}
          >
            <b>{name()}</b>
            <small>{shownBytes(bytes())}</small>
          </span>
        );
      }}
    </For>
  );
  return (
    <ol class="kernels" data-testid="parcels">
      <For each={kernels()}>
        {(kernel) => (
          <li data-kernel={kernel.name}>
            <div class="side" data-shows="dram">
              <span class="quiet">DRAM → {m().fetch}</span>
              <div class="parcels">{parcels(kernel.reads)}</div>
            </div>
            <div class="chip-kernel" data-shows="sram">
              <span class="quiet">SRAM</span>
              <strong>
                {m().kernels[kernel.name]}
                {kernel.again ? ` (${m().again})` : ""}
              </strong>
              <small>{m().inside[kernel.name]}</small>
            </div>
            <div class="side" data-shows="dram">
              <span class="quiet">{m().store} → DRAM</span>
              <div class="parcels">{parcels(kernel.writes)}</div>
            </div>
            <output data-bytes={bytesMoved(kernel, props.settings)}>
              {shownBytes(bytesMoved(kernel, props.settings))}
            </output>
          </li>
        )}
      </For>
    </ol>
  );
}

/** The same on a card that nobody needs to own. */
function Card(props: { settings: Settings }): JSX.Element {
  const numbers = (): number => props.settings.l * props.settings.d * props.settings.n;
  const passes = (): number => (props.settings.training ? (props.settings.recompute ? 4 : 3) : 1);
  const memory = (): number => (1000 * totalBytes(props.settings)) / CARD.bandwidth;
  const arithmetic = (): number => (1000 * numbers() * CARD.perNumber * passes()) / CARD.operations;
  return (
    <>
      <h3>{m().card}</h3>
      <p class="note">{m().cardNote}</p>
      <div class="stats">
        <Stat
          label={m().cardMemory}
          value={m().milliseconds(memory().toPrecision(3))}
          tone="s4"
          testid="card-memory"
          note={memory() > arithmetic() ? m().bound(true) : ""}
        />
        <Stat
          label={m().cardArithmetic}
          value={m().milliseconds(arithmetic().toPrecision(3))}
          tone="mamba"
          testid="card-arithmetic"
          note={memory() > arithmetic() ? "" : m().bound(false)}
        />
      </div>
    </>
  );
}

function waysOf(sizes: Settings): Settings[] {
  const way = (fused: boolean, training: boolean, recompute: boolean): Settings => ({
    ...sizes,
    fused,
    training,
    recompute,
  });
  return [
    way(false, false, false),
    way(true, false, false),
    way(false, true, false),
    way(true, true, false),
    way(true, true, true),
  ];
}

function Measurements(props: { settings: Settings }): JSX.Element {
  const remote = engine("bytes");
  onCleanup(() => remote.close());
  const [told, setTold] = createSignal<Told>();
  const [run, setRun] = createSignal<AbortController>();
  const [error, setError] = createSignal<unknown>();
  async function measure(): Promise<void> {
    const own = new AbortController();
    setRun(own);
    setTold(undefined);
    setError(undefined);
    try {
      await remote.call("measure", { ways: waysOf(props.settings) }, { signal: own.signal, onEvent: setTold });
    } catch (failure) {
      if ((failure as Error).name !== "AbortError") setError(failure);
    }
    setRun(undefined);
  }
  const columns = (): { title: string; of: (row: Measured) => string }[] => [
    { title: m().bytesColumn, of: ({ bytes }) => shownBytes(bytes) },
    { title: m().arithmeticColumn, of: ({ arithmeticMs }) => arithmeticMs.toFixed(2) },
    { title: m().transferColumn, of: ({ transferMs }) => transferMs.toFixed(2) },
    { title: m().predictedColumn, of: ({ arithmeticMs, transferMs }) => (arithmeticMs + transferMs).toFixed(2) },
    { title: m().measuredColumn, of: ({ measuredMs }) => measuredMs.toFixed(2) },
    { title: m().ratioColumn, of: (row) => (row.measuredMs / (row.arithmeticMs + row.transferMs)).toFixed(2) },
  ];
  return (
    <Panel title={m().predicted} note={m().predictedNote}>
      <div class="row">
        <RunButton run={run()} onRun={() => void measure()} testid="measure">
          {m().measure}
        </RunButton>
      </div>
      <Show when={error()}>{(failure) => <Failure error={failure()} again={() => void measure()} />}</Show>
      <Show when={told()}>
        {(seen) => (
          <>
            <Stat label={m().bandwidth} value={`${(seen().bandwidth / 1e9).toFixed(1)} GB/s`} testid="bandwidth" />
            <div class="scroll" tabIndex={0} role="group" aria-label={m().predicted}>
              <table data-testid="measured">
                <thead>
                  <tr>
                    <th scope="col">{m().way}</th>
                    <For each={columns()}>
                      {({ title }) => (
                        <th class="number" scope="col">
                          {title}
                        </th>
                      )}
                    </For>
                  </tr>
                </thead>
                <tbody>
                  <For each={seen().results}>
                    {(row) => (
                      <tr>
                        <th scope="row">
                          {m().ways(row.settings.fused, row.settings.training, row.settings.recompute)}
                        </th>
                        <For each={columns()}>{({ of }) => <td class="number">{of(row)}</td>}</For>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </div>
          </>
        )}
      </Show>
    </Panel>
  );
}
