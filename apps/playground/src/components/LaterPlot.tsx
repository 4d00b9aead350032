import { createSignal, onCleanup, onMount, Show, type Component, type JSX } from "solid-js";
import { Dynamic } from "solid-js/web";
import { Failure } from "./Failure.tsx";
import type { LinePlotProps } from "./LinePlot.tsx";

/** Milliseconds after which a plot that nobody has come near is fetched, too. */
const PATIENCE = 1500;
/** CSS pixels below the window within which a plot is near. */
const NEAR = 300;

/** A plot that stands below the first screen: its engine, the largest part of a page, is fetched when one comes near, or a little later by itself. */
export function LaterPlot(props: LinePlotProps): JSX.Element {
  const [plot, setPlot] = createSignal<Component<LinePlotProps>>();
  const [error, setError] = createSignal<unknown>();
  let host: HTMLDivElement | undefined;
  const load = (): void => {
    setError(undefined);
    import("./LinePlot.tsx").then(({ LinePlot }) => setPlot(() => LinePlot), setError);
  };
  onMount(() => {
    const timer = setTimeout(load, PATIENCE);
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && load(),
      { rootMargin: `${NEAR}px` },
    );
    observer.observe(host!);
    onCleanup(() => {
      clearTimeout(timer);
      observer.disconnect();
    });
  });
  return (
    <div ref={(element) => (host = element)} style={{ "min-height": `${props.height ?? 240}px` }}>
      <Show when={error()}>{(failure) => <Failure error={failure()} again={load} />}</Show>
      <Show when={plot()}>{(Plot) => <Dynamic component={Plot()} {...props} />}</Show>
    </div>
  );
}
