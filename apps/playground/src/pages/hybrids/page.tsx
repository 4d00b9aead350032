import { createMemo, For, type JSX } from "solid-js";
import { shell } from "../../shell/shellMessages.ts";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Button, Slider, Stat } from "../../components/controls.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { recallCode, stackCode } from "./code.ts";
import { drawTrials, keptBytes, recall, VALUES, WIDTH } from "./compute/recall.ts";
import { messages as m } from "./messages.ts";
import "./style.css";

const PAIRS = [1, 2, 4, 6, 8, 12, 16, 24, 32];
const LENGTHS = [128, 512, 2048, 8192, 32768, 131072];
const STACK = { layers: 16, dModel: 1024, dState: 16 };

const shownBytes = (bytes: number): string =>
  bytes < 1e6
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(2)} GB`;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export function HybridsPage(): JSX.Element {
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Capacity />
      <Stack />
    </Page>
  );
}

function Capacity(): JSX.Element {
  const [pairs, setPairs] = useParam("pairs", 12, number(1, 32, 1));
  const [n, setN] = useParam("n", 8, number(2, 32, 2));
  const [seed, setSeed] = useParam("seed", 1, number(1, 1e6, 1));
  const course = createMemo(() => PAIRS.map((count) => recall(count, n(), seed())));
  const now = createMemo(() => recall(pairs(), n(), seed()));
  return (
    <Panel title={m().recall} note={m().recallNote(n() * WIDTH, WIDTH)}>
      <div class="row">
        <Slider label={m().pairs} value={pairs()} min={1} max={32} step={1} onInput={setPairs} testid="pairs" />
        <Slider label={m().size} value={n()} min={2} max={32} step={2} onInput={setN} testid="n" />
        <Button onClick={() => setSeed(seed() + 1)}>{m().seed}</Button>
      </div>
      <LinePlot
        label={m().right}
        x={PAIRS}
        xLabel={m().pairsAxis}
        yLabel={m().rightAxis}
        yRange={[0, 102]}
        mark={pairs()}
        lines={[
          { label: m().state, tone: "mamba", values: course().map(({ state }) => 100 * state), points: true },
          {
            label: m().attention,
            tone: "attention",
            values: course().map(({ attention }) => 100 * attention),
            points: true,
          },
          { label: m().chance, tone: "quiet", values: PAIRS.map(() => 100 / VALUES), width: 1 },
        ]}
      />
      <div class="stats">
        <Stat
          label={`${m().now(pairs())}${shell().colon}${m().state}`}
          value={percent(now().state)}
          tone="mamba"
          testid="state-right"
        />
        <Stat
          label={`${m().now(pairs())}${shell().colon}${m().attention}`}
          value={percent(now().attention)}
          tone="attention"
          testid="attention-right"
        />
      </div>
      <CodeBeside of={recallCode(drawTrials(pairs(), n(), seed())[0]!)} />
    </Panel>
  );
}

function Stack(): JSX.Element {
  const [attention, setAttention] = useParam("attention", 2, number(0, 16, 1));
  const [l, setL] = useParam("l", 32768, number(128, 131072));
  const stack = (): Parameters<typeof keptBytes>[0] => ({ ...STACK, attention: attention() });
  const total = (layers: number, length: number): number => {
    const { states, cache } = keptBytes({ ...STACK, attention: layers }, length);
    return states + cache;
  };
  const kept = (): ReturnType<typeof keptBytes> => keptBytes(stack(), Math.round(l()));
  /** Layers of attention stand evenly among the others. */
  const isAttention = (layer: number): boolean =>
    Math.floor(((layer + 1) * attention()) / STACK.layers) > Math.floor((layer * attention()) / STACK.layers);
  return (
    <Panel title={m().stack} note={m().stackNote}>
      <div class="row">
        <Slider
          label={m().layers}
          value={attention()}
          min={0}
          max={16}
          step={1}
          onInput={setAttention}
          testid="layers"
        />
        <Slider
          label={m().length}
          value={l()}
          min={128}
          max={131072}
          log
          show={(value) => String(Math.round(value))}
          onInput={setL}
          testid="length"
        />
      </div>
      <ol class="stack" aria-label={m().picture} data-testid="stack">
        <For each={Array.from({ length: STACK.layers }, (_, layer) => layer)}>
          {(layer) => (
            <li classList={{ attention: isAttention(layer) }}>
              {isAttention(layer) ? m().attentionLayer : m().mambaLayer}
            </li>
          )}
        </For>
      </ol>
      <div class="stats">
        <Stat label={m().states} value={shownBytes(kept().states)} tone="mamba" testid="states" />
        <Stat label={m().cache} value={shownBytes(kept().cache)} tone="attention" testid="cache" />
        <Stat
          label={m().against}
          value={m().times(((kept().states + kept().cache) / total(16, Math.round(l()))).toPrecision(3))}
          testid="against"
        />
      </div>
      <LinePlot
        label={m().plot}
        x={LENGTHS}
        logX
        logY
        xLabel={m().lengthAxis}
        yLabel={m().bytesAxis}
        lines={[
          {
            label: m().chosen,
            tone: "mamba",
            values: LENGTHS.map((length) => total(attention(), length)),
            points: true,
            width: 3,
          },
          { label: m().all, tone: "attention", values: LENGTHS.map((length) => total(16, length)), points: true },
          { label: m().none, tone: "s4", values: LENGTHS.map((length) => total(0, length)), points: true },
        ]}
      />
      <CodeBeside of={stackCode(stack(), Math.round(l()))} />
    </Panel>
  );
}
