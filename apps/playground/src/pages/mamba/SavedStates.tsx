import { createSignal, For, Show, type JSX } from "solid-js";
import { Button, Slider } from "../../components/controls.tsx";
import { FileButton } from "../../components/FileButton.tsx";
import { Failure } from "../../components/Failure.tsx";
import { Panel } from "../../components/Page.tsx";
import type { Snapshot } from "./compute/writing.ts";
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
  const first = (): number => props.writer.progress()?.earliest ?? 0;
  const at = (): number => Math.max(first(), Math.min(target() ?? written(), written()));
  const idle = (): boolean => written() > 0 && !props.writer.writing();

  const [error, setError] = createSignal<unknown>();
  const tail = (): string =>
    ((props.writer.progress()?.prompt ?? "") + (props.writer.progress()?.text ?? "")).slice(-28);

  async function open(file: File): Promise<void> {
    setError(undefined);
    try {
      const snapshot = await props.writer.open(file);
      setSaved([...saved(), { snapshot, tail: tail() }]);
    } catch (failure) {
      setError(failure);
    }
  }

  async function save(): Promise<void> {
    const words = tail();
    const snapshot = await props.writer.save();
    if (snapshot) setSaved([...saved(), { snapshot, tail: words }]);
  }

  return (
    <Panel title={m().keep} note={m().keepNote}>
      <div class="row">
        <Button disabled={!idle()} onClick={() => void save()} testid="save">
          {m().save}
        </Button>
        <Show when={written() > first()}>
          <Slider
            label={m().rewind}
            value={at()}
            min={first()}
            max={written()}
            step={1}
            onInput={setTarget}
            testid="rewind"
          />
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
        <FileButton
          label={m().open}
          accept=".safetensors"
          disabled={props.writer.facts() === undefined || props.writer.writing()}
          onChoose={([file]) => void open(file!)}
          testid="open"
        />
      </div>
      <Show when={error()}>{(failure) => <Failure error={failure()} />}</Show>
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
              <Button onClick={() => download(snapshot)} testid="download">
                {m().download}
              </Button>
            </li>
          )}
        </For>
      </ul>
    </Panel>
  );
}

/** A safetensors file that this page, and the library, can read again. */
function download({ ids, bytes }: Snapshot): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `state-${ids.length}.safetensors`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
