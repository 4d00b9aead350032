import { createMemo, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { Slider, Stat } from "../../components/controls.tsx";
import { NumberGrid } from "../../components/NumberGrid.tsx";
import { Panel } from "../../components/Page.tsx";
import { number, text } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { attentionMap, KEPT, recurrentStates, wordsOf } from "./compute/attentionMap.ts";
import { attentionCode } from "./code.ts";
import { messages as m } from "./messages.ts";

const MOST = 10;
const SHARPNESS = 4;

/** A sentence in the two older memories: an attention map that grows with every word, and a recurrent state that does not. */
export function TwoMemories(): JSX.Element {
  const [typed, setTyped] = useParam("words", "", text);
  const [written, setWritten] = useParam("written", 7, number(1, MOST, 1));
  const sentence = (): string => (typed() === "" ? m().sentence : typed());
  const all = createMemo(() => wordsOf(sentence(), MOST));
  const words = createMemo(() => all().slice(0, Math.min(written(), all().length)));
  const map = createMemo(() => attentionMap(words(), SHARPNESS));
  const states = createMemo(() => recurrentStates(words()));
  const names = (): string[] => words().map((word, i) => `${i + 1} ${word}`);
  const l = (): number => words().length;
  return (
    <Panel title={m().memories} note={m().memoriesNote}>
      <div class="row">
        <label class="field">
          <span>{m().typed}</span>
          <input
            type="text"
            value={sentence()}
            onInput={(event) => setTyped(event.currentTarget.value)}
            data-testid="words"
          />
        </label>
        <Slider
          label={m().written}
          value={l()}
          min={1}
          max={Math.max(1, all().length)}
          step={1}
          onInput={setWritten}
          testid="written"
        />
      </div>
      <div class="split opens">
        <figure class="figure stays" data-shows="map">
          <figcaption>{m().map}</figcaption>
          <NumberGrid
            label={m().map}
            rows={names()}
            columns={names().map((_, i) => String(i + 1))}
            value={(t, s) => map()[t]?.[s]}
            show={(weight) => weight.toFixed(2)}
            tone="attention"
            limit={1}
            marked={l() - 1}
            testid="attention-map"
          />
          <div class="stats">
            <Stat label={m().squares} value={String((l() * (l() + 1)) / 2)} tone="attention" testid="squares" />
            <Stat label={m().nextSquares} value={String(l() + 1)} tone="attention" testid="next-squares" />
          </div>
        </figure>
        <figure class="figure" data-shows="state">
          <figcaption>{m().recurrent}</figcaption>
          <NumberGrid
            label={m().recurrent}
            rows={names()}
            columns={Array.from({ length: KEPT }, (_, i) => String(i + 1))}
            value={(t, i) => states()[t]?.[i]}
            show={(value) => value.toFixed(2)}
            tone="rnn"
            limit={1}
            marked={l() - 1}
            testid="recurrent-row"
          />
          <div class="stats">
            <Stat label={m().kept} value={String(KEPT)} tone="rnn" />
            <Stat label={m().walked} value={String(l())} tone="rnn" testid="walked" />
          </div>
        </figure>
      </div>
      <CodeBeside of={attentionCode(words(), SHARPNESS)} />
    </Panel>
  );
}
