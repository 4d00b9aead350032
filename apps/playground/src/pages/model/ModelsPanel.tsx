import { createSignal, For, Show, type JSX } from "solid-js";
import { useBackend } from "../../components/BackendChoice.tsx";
import { Button, Slider } from "../../components/controls.tsx";
import { Panel } from "../../components/Page.tsx";
import { RunButton } from "../../components/RunButton.tsx";
import { hrefIn } from "../../shell/route.ts";
import { OWN_MODELS, type KeptFacts, type OwnModel } from "../../workers/modelChoice.ts";
import { canPickFolder, download, saveIntoFolder } from "./folder.ts";
import { learner } from "./learner.ts";
import { messages as m } from "./messages.ts";

const told = (count: number): string => count.toLocaleString("en-US");

/** The models that the visitor has: what they are, what they write, and the ways on. */
export function ModelsPanel(): JSX.Element {
  const there = (): OwnModel[] => OWN_MODELS.filter((which) => learner.models()[which] !== undefined);
  return (
    <div data-testid="own-models">
      <Panel title={m().models} note={m().modelsNote}>
        <Show when={there().length > 0} fallback={<p class="quiet">{m().none}</p>}>
          <For each={there()}>{(which) => <Own which={which} facts={learner.models()[which]!} />}</For>
        </Show>
      </Panel>
    </div>
  );
}

function Own(props: { which: OwnModel; facts: KeptFacts }): JSX.Element {
  const [backend] = useBackend();
  const [prompt, setPrompt] = createSignal("");
  const [temperature, setTemperature] = createSignal(0.7);
  const [saved, setSaved] = createSignal<string>();
  const facts = (): string => {
    const { title, weights, layers, dModel, steps, adapterWeights } = props.facts;
    return adapterWeights === undefined
      ? m().facts(title, told(weights), layers, dModel, steps)
      : m().adapterFacts(title, told(adapterWeights), told(weights), steps);
  };
  async function take(part: "files" | "adapter"): Promise<void> {
    const blob = await learner.archive(props.which, part);
    if (blob !== undefined) download(part === "files" ? `${props.which}-model.zip` : "adapter.zip", blob);
  }
  async function intoFolder(): Promise<void> {
    try {
      setSaved(await saveIntoFolder(() => learner.folder(props.which, "files")));
    } catch (error) {
      learner.fail(error);
    }
  }
  const busy = (): boolean => learner.run() !== undefined;
  return (
    <section class="own-model" aria-label={m().kinds[props.which]} data-testid={`own-${props.which}`}>
      <h3>{m().kinds[props.which]}</h3>
      <p data-testid={`own-facts-${props.which}`}>{facts()}</p>
      <div class="row">
        <label class="field">
          <span>{m().prompt}</span>
          <input
            type="text"
            value={prompt()}
            onInput={(event) => setPrompt(event.currentTarget.value)}
            data-testid={`own-prompt-${props.which}`}
          />
        </label>
        <Slider label={m().temperature} value={temperature()} min={0} max={1.5} step={0.1} onInput={setTemperature} />
        <RunButton
          run={learner.writing(props.which)}
          disabled={busy()}
          onRun={() => void learner.write(props.which, prompt(), temperature(), backend())}
          testid={`own-write-${props.which}`}
        >
          {m().write}
        </RunButton>
      </div>
      <p class="written own-written" role="log" aria-label={m().written} data-testid={`own-written-${props.which}`}>
        {learner.written(props.which)}
      </p>
      <div class="row">
        <Button onClick={() => void take("files")} testid={`own-download-${props.which}`}>
          {m().download((props.facts.bytes / 1e6).toFixed(1))}
        </Button>
        <Show when={props.facts.adapterWeights}>
          <Button onClick={() => void take("adapter")} testid="own-download-adapter">
            {m().downloadAdapter}
          </Button>
        </Show>
        <Show when={canPickFolder()}>
          <Button onClick={() => void intoFolder()}>{m().toFolder}</Button>
        </Show>
        <button
          type="button"
          disabled={busy()}
          aria-label={m().forgetTitle(props.facts.title)}
          onClick={() => void learner.forget(props.which)}
          data-testid={`own-forget-${props.which}`}
        >
          {m().forget}
        </button>
      </div>
      <p class="row">
        <a class="go" href={hrefIn("mamba", { model: props.which })} data-testid={`own-open-mamba-${props.which}`}>
          {m().openWriter}
        </a>
        <a class="go" href={hrefIn("block", { model: props.which })} data-testid={`own-open-block-${props.which}`}>
          {m().openBlock}
        </a>
      </p>
      <p class="quiet" role="status">
        <Show when={saved()}>{(name) => m().saved(name())}</Show>
      </p>
    </section>
  );
}
