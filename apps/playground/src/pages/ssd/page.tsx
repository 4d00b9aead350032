import { createMemo, For, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Button, Slider, Stat } from "../../components/controls.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { NumberGrid } from "../../components/NumberGrid.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { costs, duality } from "./compute/duality.ts";
import { dualityCode } from "./code.ts";
import { messages as m } from "./messages.ts";

const LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096, 8192];
const HEAD = { n: 128, p: 64, chunk: 64 };
const WAYS = ["recurrence", "matrix", "chunks"] as const;
const TONES = { recurrence: "rnn", matrix: "attention", chunks: "mamba" } as const;

export function SsdPage(): JSX.Element {
  const [l, setL] = useParam("l", 7, number(2, 10, 1));
  const [n, setN] = useParam("n", 4, number(1, 8, 1));
  const [keep, setKeep] = useParam("keep", 0.5, number(0, 1));
  const [chunk, setChunk] = useParam("chunk", 3, number(1, 10, 1));
  const [seed, setSeed] = useParam("seed", 1, number(1, 1e6, 1));
  const told = createMemo(() => duality({ l: l(), n: n(), chunk: chunk(), keep: keep(), seed: seed() }));
  const names = (): string[] => Array.from({ length: l() }, (_, t) => String(t + 1));
  const outputs = (): (readonly number[])[] => [told().byMatrix, told().byRecurrence, told().byChunks];
  const difference = (): number =>
    Math.max(...outputs().flatMap((row) => row.map((value, t) => Math.abs(value - told().byRecurrence[t]!))));
  const grids = (): { id: "scores" | "mask" | "product"; of: readonly (readonly number[])[] }[] => [
    { id: "scores", of: told().scores },
    { id: "mask", of: told().mask },
    { id: "product", of: told().M },
  ];
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().figure} note={m().figureNote}>
        <div class="row">
          <Slider label={m().length} value={l()} min={2} max={10} step={1} onInput={setL} testid="l" />
          <Slider label={m().states} value={n()} min={1} max={8} step={1} onInput={setN} testid="n" />
          <Slider label={m().keep} value={keep()} min={0} max={1} step={0.05} onInput={setKeep} testid="keep" />
          <Slider label={m().chunk} value={chunk()} min={1} max={10} step={1} onInput={setChunk} testid="chunk" />
          <Button onClick={() => setSeed(seed() + 1)}>{m().seed}</Button>
        </div>
        <div class="thirds">
          <For each={grids()}>
            {({ id, of }) => (
              <figure class="figure" data-shows={id}>
                <figcaption>{m()[id]}</figcaption>
                <NumberGrid
                  label={m()[id]}
                  rows={names()}
                  columns={names()}
                  value={(t, s) => of[t]?.[s]}
                  show={(value) => value.toFixed(2)}
                  framed={(t, s) => id === "product" && Math.floor(t / chunk()) === Math.floor(s / chunk())}
                  testid={`grid-${id}`}
                />
                <Show when={id === "product"}>
                  <p class="note" data-testid="framed-note">
                    {m().framed}
                  </p>
                </Show>
              </figure>
            )}
          </For>
        </div>
        <h3>{m().outputs}</h3>
        <div class="stays" data-shows="outputs">
          <NumberGrid
            label={m().outputs}
            rows={m().rows}
            columns={names()}
            value={(way, t) => outputs()[way]![t]}
            show={(value) => value.toFixed(4)}
            testid="outputs"
          />
        </div>
        <Stat label={m().difference} value={difference().toExponential(1)} testid="difference" />
        <CodeBeside of={dualityCode(told())} />
      </Panel>
      <Panel title={m().costs} note={m().costsNote(HEAD.n, HEAD.p)}>
        <LinePlot
          label={m().costs}
          x={LENGTHS}
          logX
          logY
          xLabel={m().textLength}
          yLabel={m().count}
          lines={WAYS.map((way) => ({
            label: m().ways[way],
            tone: TONES[way],
            values: LENGTHS.map((length) => costs(length, HEAD.n, HEAD.p, HEAD.chunk)[way]),
            points: true,
          }))}
        />
      </Panel>
    </Page>
  );
}
