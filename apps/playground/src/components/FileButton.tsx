import { createSignal, createUniqueId, Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";

/** Names of files that are told one by one; of more, their number. */
const TOLD = 3;

/**
 * Asks for files. The browser's own control speaks the browser's language, whatever the page's; this one is a button of the page, and says
 * (to those who listen, too) what was chosen.
 */
export function FileButton(props: {
  label: string;
  onChoose: (files: readonly File[]) => void;
  multiple?: boolean;
  accept?: string;
  disabled?: boolean;
  testid: string;
}): JSX.Element {
  const id = createUniqueId();
  const [chosen, setChosen] = createSignal<readonly string[]>([]);
  let input: HTMLInputElement | undefined;
  const told = (): string =>
    chosen().length > TOLD ? shell().file.chosenMany(chosen().length) : shell().file.chosen(chosen());
  const take = (own: HTMLInputElement): void => {
    const files = [...(own.files ?? [])];
    own.value = ""; // so that the same file can be chosen again
    if (files.length === 0) return;
    setChosen(files.map(({ name }) => name));
    props.onChoose(files);
  };
  return (
    <div class="file-button">
      <span id={`${id}-label`}>{props.label}</span>
      <button
        type="button"
        id={`${id}-button`}
        aria-labelledby={`${id}-button ${id}-label`}
        aria-describedby={`${id}-chosen`}
        disabled={props.disabled}
        onClick={() => input!.click()}
      >
        {props.multiple ? shell().file.chooseMany : shell().file.choose}
      </button>
      <input
        ref={(element) => (input = element)}
        type="file"
        hidden
        multiple={props.multiple}
        accept={props.accept}
        disabled={props.disabled}
        onChange={(event) => take(event.currentTarget)}
        data-testid={props.testid}
      />
      <span id={`${id}-chosen`} class="quiet" role="status" data-testid={`${props.testid}-chosen`}>
        <Show when={chosen().length > 0} fallback={shell().file.none}>
          {told()}
        </Show>
      </span>
    </div>
  );
}
