import type { JSX } from "solid-js";
import { choice, useParam } from "../shell/route.ts";
import { shell } from "../shell/shellMessages.ts";
import { BACKEND_NAMES, type BackendName } from "../workers/backendNames.ts";
import { Choice } from "./controls.tsx";

/** The backend in the address, shared by the pages that let one choose. */
export function useBackend(): [() => BackendName, (name: BackendName) => void] {
  return useParam<BackendName>("backend", "wasm", choice(...BACKEND_NAMES));
}

export function BackendChoice(props: { value: BackendName; onChange: (name: BackendName) => void }): JSX.Element {
  return <Choice label={shell().backend} value={props.value} onChange={props.onChange} testid="backend" options={BACKEND_NAMES.map((value) => ({ value, label: value }))} />;
}
