import { createMemo, For, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Button, Slider } from "../../components/controls.tsx";
import { DataTable } from "../../components/DataTable.tsx";
import { Panel } from "../../components/Page.tsx";
import { numbers } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { jarOf } from "./jar.ts";
import { jarCode } from "./code.ts";
import { messages as m } from "./messages.ts";

const LARGEST = 4;
const ALIKE: readonly number[] = [1, 1, 1, 1, 1];
/** Fillers get a small step, words that matter a large one. */
const CHOSEN: readonly number[] = [2, 0.05, 2, 0.05, 2];

const inRange = (delta: number | undefined): number => Math.max(0, Math.min(LARGEST, delta ?? 1));

/** Five words, a step for each, and the one number that remembers them. */
export function DeltaKnob(): JSX.Element {
  const [written, setWritten] = useParam("knob", ALIKE, numbers);
  const deltas = createMemo(() => ALIKE.map((_, i) => inRange(written()[i])));
  const jar = createMemo(() => jarOf(deltas()));
  const turn = (i: number, delta: number): void => setWritten(deltas().with(i, +delta.toFixed(2)));
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    <Panel title={m().knob} note={m().knobNote}>
      <div class="row">
        <Button onClick={() => setWritten(ALIKE)} testid="knob-alike">
          {m().knobAlike}
        </Button>
        <Button onClick={() => setWritten(CHOSEN)} testid="knob-chosen">
          {m().knobChosen}
        </Button>
      </div>
      <div class="knobs">
        <For each={m().knobWords}>
          {(word, i) => (
            <div class="knob" style={{ "--tone": `var(--token-${i() + 1})` }}>
              <Slider
                label={`${i() + 1} · ${word}`}
                value={deltas()[i()]!}
                min={0}
                max={LARGEST}
                step={0.05}
                show={(delta) => `Δ = ${delta.toFixed(2)}`}
                onInput={(delta) => turn(i(), delta)}
                testid={`knob-${i()}`}
              />
              <p class="note" data-testid={`knob-${i()}-told`}>
                {m().knobStep(percent(jar().steps[i()]!.kept), percent(jar().steps[i()]!.written))}
              </p>
            </div>
          )}
        </For>
      </div>
      <h3>{m().jar}</h3>
      <div
        class="jar stays"
        role="img"
        aria-label={m().jarHolds(m().knobWords.map((word, i) => `${word} ${percent(jar().shares[i]!)}`))}
      >
        <For each={m().knobWords}>
          {(word, i) => (
            <span style={{ width: `${100 * jar().shares[i()]!}%`, "--tone": `var(--token-${i() + 1})` }}>
              {jar().shares[i()]! > 0.06 ? word : ""}
            </span>
          )}
        </For>
        <span class="nothing" style={{ width: `${100 * jar().empty}%` }} />
      </div>
      <p class="note" data-testid="jar">
        {m()
          .knobWords.map((word, i) => `${word} ${percent(jar().shares[i]!)}`)
          .join(" · ")}{" "}
        · {m().jarEmpty} {percent(jar().empty)}
      </p>
      <DataTable
        label={m().jar}
        columns={[
          { label: m().jarPlace, values: [1, 2, 3, 4, 5] },
          { label: "Δ", values: deltas() },
          { label: m().jarShare, values: jar().shares },
        ]}
      />
      <CodeBeside of={jarCode(m().knobWords, deltas())} />
    </Panel>
  );
}
