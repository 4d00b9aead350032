import { createMemo, type JSX } from "solid-js";
import { Slider, Stat } from "../../components/controls.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Panel } from "../../components/Page.tsx";
import { number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { learnStep, TRAINING } from "./learnedStep.ts";
import { messages as m } from "./messages.ts";

const steps = Float64Array.from({ length: TRAINING + 1 }, (_, i) => i);

/** A channel finds its step from data. */
export function LearnedStep(): JSX.Element {
  const [hidden, setHidden] = useParam("hidden", 0.15, number(0.05, 2));
  const learned = createMemo(() => learnStep(hidden()));
  return (
    <Panel title={m().learned} note={m().learnedNote}>
      <div class="row">
        <Slider
          label={m().hidden}
          value={hidden()}
          min={0.05}
          max={2}
          log
          show={(value) => value.toFixed(3)}
          onInput={setHidden}
          testid="hidden"
        />
      </div>
      <LinePlot
        label={m().learned}
        x={steps}
        xLabel={m().trainingStep}
        yLabel="Δ"
        height={180}
        lines={[
          { label: m().hidden, tone: "quiet", values: steps.map(hidden), width: 1.5 },
          { label: m().found, tone: "mamba", values: learned().deltas, points: true },
        ]}
      />
      <div class="stats">
        <Stat label={m().found} value={learned().deltas.at(-1)!.toFixed(4)} tone="mamba" testid="found" />
        <Stat label={m().missing} value={learned().losses.at(-1)!.toExponential(1)} />
      </div>
    </Panel>
  );
}
