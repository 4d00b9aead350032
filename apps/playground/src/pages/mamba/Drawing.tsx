import type { Accessor, JSX } from "solid-js";
import { Slider } from "../../components/controls.tsx";
import { number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import type { Drawing } from "./compute/chances.ts";
import { messages as m } from "./messages.ts";

/** Most tokens that top-k can be set to. */
const MOST = 40;

interface Settings {
  readonly value: Accessor<Drawing>;
  set(changed: Partial<Drawing>): void;
}

/** How tokens are drawn: one setting of the page, for what it writes and for what it shows. */
export function useDrawing(): Settings {
  const [temperature, setTemperature] = useParam("temperature", 0.7, number(0, 1.5));
  const [topK, setTopK] = useParam("topk", 0, number(0, MOST, 1));
  const [topP, setTopP] = useParam("topp", 1, number(0.05, 1, 0.05));
  return {
    value: () => ({ temperature: temperature(), topK: topK(), topP: topP() }),
    set(changed) {
      if (changed.temperature !== undefined) setTemperature(changed.temperature);
      if (changed.topK !== undefined) setTopK(changed.topK);
      if (changed.topP !== undefined) setTopP(changed.topP);
    },
  };
}

/** @param at where they stand, for tests */
export function DrawingSliders(props: { of: Settings; at: string }): JSX.Element {
  const { of } = props;
  return (
    <>
      <Slider
        label={m().temperature}
        value={of.value().temperature}
        min={0}
        max={1.5}
        step={0.05}
        show={(value) => (value === 0 ? m().greedy : value.toFixed(2))}
        onInput={(temperature) => of.set({ temperature })}
        testid={`${props.at}-temperature`}
      />
      <Slider
        label={m().topK}
        value={of.value().topK}
        min={0}
        max={MOST}
        step={1}
        show={(value) => (value === 0 ? m().all : String(value))}
        onInput={(topK) => of.set({ topK })}
        testid={`${props.at}-topk`}
      />
      <Slider
        label={m().topP}
        value={of.value().topP}
        min={0.05}
        max={1}
        step={0.05}
        show={(value) => (value === 1 ? m().all : value.toFixed(2))}
        onInput={(topP) => of.set({ topP })}
        testid={`${props.at}-topp`}
      />
    </>
  );
}
