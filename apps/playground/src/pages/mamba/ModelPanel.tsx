import { createSignal, For, Show, type JSX } from "solid-js";
import { Button, Progress } from "../../components/controls.tsx";
import { FileButton } from "../../components/FileButton.tsx";
import { Panel } from "../../components/Page.tsx";
import { bundledAddress } from "../../shell/bundled.ts";
import { useOwnModels } from "../../shell/ownModels.ts";
import { shell } from "../../shell/shellMessages.ts";
import { OWN_MODELS } from "../../workers/modelChoice.ts";
import type { BackendName } from "../../workers/backendNames.ts";
import { messages as m } from "./messages.ts";
import type { Writer } from "./writer.ts";

/** Where the model comes from: the site, an address, or files of this computer. */
export function ModelPanel(props: { writer: Writer; backend: BackendName }): JSX.Element {
  const ownModels = useOwnModels();
  const [url, setUrl] = createSignal("");
  return (
    <Panel title={m().model} note={m().small}>
      <div class="row">
        <Button
          primary
          disabled={props.writer.loading() !== undefined}
          onClick={() => void props.writer.load({ kind: "url", url: bundledAddress() }, props.backend)}
          testid="load"
        >
          {m().load}
        </Button>
        <For each={OWN_MODELS}>
          {(which) => (
            <Show when={ownModels()[which]}>
              {(facts) => (
                <Button
                  disabled={props.writer.loading() !== undefined}
                  onClick={() => void props.writer.load({ kind: "own", which }, props.backend)}
                  testid={`load-${which}`}
                >
                  {m().loadOwn(facts().title)}
                </Button>
              )}
            </Show>
          )}
        </For>
        <Show when={props.writer.loading()}>
          {(loading) => (
            <>
              <Progress
                label={m().loading(loading().file, (loading().loaded / 1e6).toFixed(1))}
                value={loading().total === undefined ? 0 : loading().loaded / loading().total!}
              />
              <Button onClick={props.writer.cancelLoading}>{shell().cancel}</Button>
            </>
          )}
        </Show>
        <Show when={props.writer.facts()}>
          {(facts) => (
            <span data-testid="facts">
              {m().loaded(facts().weights.toLocaleString("en-US"), facts().type, facts().layers, facts().dModel)}
            </span>
          )}
        </Show>
      </div>
      <details>
        <summary>{m().other}</summary>
        <p class="note">{m().otherNote}</p>
        <div class="row">
          <FileButton
            label={m().folder}
            multiple
            onChoose={(files) => void props.writer.load({ kind: "files", files }, props.backend)}
            testid="files"
          />
          <label class="grow">
            {m().url}
            <input type="text" value={url()} onInput={(event) => setUrl(event.currentTarget.value)} data-testid="url" />
          </label>
          <Button
            disabled={url() === ""}
            onClick={() => void props.writer.load({ kind: "url", url: url() }, props.backend)}
            testid="load-url"
          >
            {m().fetch}
          </Button>
        </div>
      </details>
    </Panel>
  );
}
