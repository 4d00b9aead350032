import { onMount, Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";
import { keepEverything, kept, startOffline } from "./offline.ts";
import { sparing } from "./sparing.ts";

/** How much of the tour works without a network; starts what keeps it. */
export function Offline(): JSX.Element {
  onMount(() => void startOffline());
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return (
    <p class="offline quiet" data-testid="offline" data-complete={kept()?.complete ?? false}>
      <Show
        when={kept()}
        fallback={
          <Show when={sparing}>
            <button type="button" onClick={() => void keepEverything()}>
              {shell().offline.keep}
            </button>
          </Show>
        }
      >
        {(now) =>
          now().complete
            ? shell().offline.complete
            : shell().offline.progress(megabytes(now().kept), megabytes(now().total))
        }
      </Show>
    </p>
  );
}
