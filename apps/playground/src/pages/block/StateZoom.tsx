import { createMemo, type JSX } from "solid-js";
import { LinePlot } from "../../components/LinePlot.tsx";
import { NumberGrid } from "../../components/NumberGrid.tsx";
import { told, numbersAt, type Numbers } from "./compute/at.ts";
import type { LayerTrace } from "./compute/trace.ts";
import { messages as m } from "./messages.ts";
import { shownToken } from "./token.ts";

/** One number of the state through the sentence. */
export function StateZoom(props: {
  trace: LayerTrace;
  states: readonly Float64Array[];
  tokens: readonly string[];
  t: number;
  c: number;
  s: number;
}): JSX.Element {
  const course = createMemo<readonly Numbers[]>(() =>
    props.tokens.map((_, t) => numbersAt(props.trace, props.states, t, props.c, props.s)),
  );
  const columns = ["delta", "ABar", "before", "kept", "written", "x"] as const;
  const names = (): string[] => ["Δ", "Ā", m().before, m().keeps, m().writes, m().after];
  return (
    <div class="split">
      <LinePlot
        label={m().course}
        x={props.tokens.map((_, t) => t + 1)}
        xLabel={m().tokenAxis}
        mark={props.t + 1}
        lines={[
          { label: m().after, tone: "mamba", values: course().map(({ x }) => x), points: true },
          { label: m().writes, tone: "s4", values: course().map(({ written }) => written), shape: "bars" },
        ]}
      />
      <NumberGrid
        label={m().course}
        rows={props.tokens.map((token, t) => `${t + 1} ${shownToken(token)}`)}
        columns={names()}
        value={(t, column) => course()[t]?.[columns[column]!]}
        show={told}
        limit={Number.MAX_VALUE}
        marked={props.t}
        testid="course"
      />
    </div>
  );
}
