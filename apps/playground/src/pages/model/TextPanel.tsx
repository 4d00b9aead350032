import { createMemo, createSignal, Show, type JSX } from "solid-js";
import { Button } from "../../components/controls.tsx";
import { FileButton } from "../../components/FileButton.tsx";
import { Panel } from "../../components/Page.tsx";
import { language } from "../../shell/language.ts";
import { messages as m } from "./messages.ts";
import { source } from "./source.ts";
import { FEWEST, MOST, textFault } from "./text.ts";
import { exampleText } from "./texts/example.ts";

/** Of a file, so much is shown. */
const BEGINNING = 600;

const told = (count: number): string => count.toLocaleString("en-US");

/** What is wrong with the text, in words; undefined where nothing is. */
export function faultOf(text: string): string | undefined {
  switch (textFault(text)) {
    case "empty":
      return m().faults.empty;
    case "short":
      return m().faults.short(text.length, FEWEST);
    case "huge":
      return m().faults.huge(told(text.length), told(MOST));
    default:
      return undefined;
  }
}

/** Where the visitor's text comes from: typed, pasted, a file, or an example. */
export function TextPanel(): JSX.Element {
  const [over, setOver] = createSignal(false);
  const kinds = createMemo(() => new Set(source.text()).size);
  const fileFault = (): string | undefined => {
    const fault = source.fault();
    if (fault === undefined) return undefined;
    return fault.kind === "noText"
      ? m().faults.noText(fault.name)
      : m().faults.largeFile(fault.name, (fault.bytes / 1e6).toFixed(1));
  };
  const take = (file: File | undefined): void => void (file !== undefined && source.take(file));
  return (
    <Panel title={m().source} note={m().sourceNote}>
      <div class="row">
        <Button onClick={() => source.write(exampleText(language()))} testid="own-example">
          {m().example}
        </Button>
        <FileButton label={m().file} accept=".txt,.md,text/plain" onChoose={([file]) => take(file)} testid="own-file" />
        <Show when={source.file()}>
          <Button onClick={() => source.write("")} testid="own-again">
            {m().ownAgain}
          </Button>
        </Show>
      </div>
      <div
        class="own-source"
        classList={{ over: over() }}
        data-testid="own-text"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files[0]);
        }}
      >
        <Show
          when={source.file()}
          fallback={
            <label>
              {m().textLabel}
              <textarea
                rows={8}
                value={source.text()}
                onInput={(event) => source.write(event.currentTarget.value)}
                data-testid="own-text-field"
              />
            </label>
          }
        >
          {(name) => (
            <>
              <p>{m().fromFile(name())}</p>
              <p class="written own-beginning" tabIndex={0} role="group" aria-label={m().textLabel}>
                {source.text().slice(0, BEGINNING)} …
              </p>
            </>
          )}
        </Show>
      </div>
      <p class="note" data-testid="own-count">
        {m().counted(told(source.text().length), told(kinds()))}
      </p>
      <Show when={fileFault() ?? (source.text() === "" ? undefined : faultOf(source.text()))}>
        {(fault) => (
          <p class="failure" role="alert" data-testid="own-fault">
            {fault()}
          </p>
        )}
      </Show>
    </Panel>
  );
}
