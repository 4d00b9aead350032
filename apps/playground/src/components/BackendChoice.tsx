import { Show, type JSX } from "solid-js";
import { adapter, offersWebGpu } from "../shell/adapter.ts";
import { choice } from "../shell/codecs.ts";
import { useParam } from "../shell/route.ts";
import { shell } from "../shell/shellMessages.ts";
import { BACKEND_NAMES, type BackendName } from "../workers/backendNames.ts";
import { Choice } from "./controls.tsx";

/** The backend in the address, shared by the pages that let one choose. */
export function useBackend(): [() => BackendName, (name: BackendName) => void] {
  return useParam<BackendName>("backend", "wasm", choice(...BACKEND_NAMES));
}

export function BackendChoice(props: { value: BackendName; onChange: (name: BackendName) => void }): JSX.Element {
  const options = BACKEND_NAMES.map((value) => ({
    value,
    label: value,
    disabled: value === "webgpu" && !offersWebGpu,
  }));
  return (
    <div>
      <Choice
        label={shell().backend}
        value={props.value}
        onChange={props.onChange}
        testid="backend"
        options={options}
      />
      <Show when={!offersWebGpu}>
        <p class="note" data-testid="no-webgpu">
          {shell().noWebGpu}
        </p>
      </Show>
      <Show when={props.value === "webgpu" && adapter()()?.software}>
        <p class="note" data-testid="software-webgpu">
          {shell().softwareWebGpu(adapter()()!.name)}
        </p>
      </Show>
    </div>
  );
}
