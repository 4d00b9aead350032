import { createSignal, For, Show, type JSX } from "solid-js";
import { Button, Slider } from "../../components/controls.tsx";
import { Panel } from "../../components/Page.tsx";
import type { Snapshot } from "./compute/session.ts";
import { messages as m } from "./messages.ts";
import type { Writer } from "./writer.ts";

interface Saved {
  readonly snapshot: Snapshot;
  readonly tail: string;
}

/** The states the visitor saved, and the way back. */
export function SavedStates(props: { writer: Writer; onFork: (snapshot: Snapshot) => void }): JSX.Element {
  const [saved, setSaved] = createSignal<readonly Saved[]>([]);
  const [target, setTarget] = createSignal<number>();
  const written = (): number => props.writer.progress()?.tokens ?? 0;
  const first = (): number => props.writer.progress()?.promptTokens ?? 0;
  const at = (): number => Math.max(first(), Math.min(target() ?? written(), written()));
  const idle = (): boolean => written() > 0 && !props.writer.writing();

  async function save(): Promise<void> {
    const progress = props.writer.progress();
    const snapshot = await props.writer.save();
    if (snapshot && progress) setSaved([...saved(), { snapshot, tail: (progress.prompt + progress.text).slice(-28) }]);
  }

  return (
    <Panel title={m().keep} note={m().keepNote}>
      <div class="row">
        <Button disabled={!idle()} onClick={() => void save()} testid="save">
          {m().save}
        </Button>
        <Show when={written() > first()}>
          <Slider label={m().rewind} value={at()} min={first()} max={written()} step={1} onInput={setTarget} testid="rewind" />
          <Button
            disabled={!idle()}
            onClick={() => {
              const to = at();
              setTarget(undefined);
              void props.writer.rewind(to);
            }}
            testid="rewind-go"
          >
            {m().rewindGo}
          </Button>
        </Show>
      </div>
      <ul class="plain">
        <For each={saved()}>
          {({ snapshot, tail }) => (
            <li class="row">
              <span>{m().saved(snapshot.ids.length, tail)}</span>
              <Button disabled={!idle()} onClick={() => void props.writer.restore(snapshot)} testid="restore">
                {m().restore}
              </Button>
              <Button disabled={!idle()} onClick={() => props.onFork(snapshot)} testid="fork">
                {m().fork}
              </Button>
              <Button onClick={() => download(snapshot)}>{m().download}</Button>
            </li>
          )}
        </For>
      </ul>
    </Panel>
  );
}

/** The state as the safetensors file it is. */
function download(snapshot: Snapshot): void {
  const url = URL.createObjectURL(new Blob([snapshot.state as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `state-${snapshot.ids.length}.safetensors`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
