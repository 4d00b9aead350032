import { createEffect, createSignal, Show, type JSX } from "solid-js";
import { Choice } from "../../components/controls.tsx";
import { FileButton } from "../../components/FileButton.tsx";
import { bundledAddress } from "../../shell/bundled.ts";
import type { ModelChoice } from "../../workers/modelChoice.ts";
import { learner } from "./learner.ts";
import { messages as m } from "./messages.ts";

const BASES = ["bundled", "trained", "url", "files"] as const;
type Base = (typeof BASES)[number];

/** Which model goes on learning; undefined while it is not said. */
export function BaseChoice(props: { choose: (choice: ModelChoice | undefined) => void }): JSX.Element {
  const [base, setBase] = createSignal<Base>("bundled");
  const [url, setUrl] = createSignal("");
  const [files, setFiles] = createSignal<readonly File[]>([]);
  createEffect(() => {
    if (base() === "bundled") props.choose({ kind: "url", url: bundledAddress() });
    else if (base() === "trained") props.choose({ kind: "own", which: "trained" });
    else if (base() === "url") props.choose(url() === "" ? undefined : { kind: "url", url: url() });
    else props.choose(files().length === 0 ? undefined : { kind: "files", files: files() });
  });
  return (
    <>
      <Choice
        label={m().base}
        value={base()}
        onChange={setBase}
        testid="own-base"
        options={BASES.map((value) => ({
          value,
          label: m().bases[value],
          disabled: value === "trained" && learner.models().trained === undefined,
        }))}
      />
      <Show when={base() === "url"}>
        <label>
          {m().url}
          <input
            type="text"
            value={url()}
            onInput={(event) => setUrl(event.currentTarget.value)}
            data-testid="own-base-url"
          />
        </label>
      </Show>
      <Show when={base() === "files"}>
        <FileButton label={m().files} multiple onChoose={setFiles} testid="own-base-files" />
      </Show>
    </>
  );
}
