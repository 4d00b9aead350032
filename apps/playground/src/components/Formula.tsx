import { For, onCleanup, onMount, Show, type JSX } from "solid-js";
import { notateMath, notateSymbol, notation, NOTATIONS, setNotation } from "../shell/notation.ts";
import { shell } from "../shell/shellMessages.ts";
import { Choice } from "./controls.tsx";

type Rendered = Readonly<Record<string, readonly string[]>>;

/** A name in Chinese is no symbol: it is not slanted. */
const HAN = /\p{Script=Han}/u;

/** Formulas are made smaller on narrow screens, but never smaller than this share. */
const SMALLEST = 0.62;

/** A formula rendered while building, in parts that may stand on lines of their own. @throws when the page's .tex file lacks it. */
export function Formula(props: { from: Rendered; name: string; label: string | undefined }): JSX.Element {
  const parts = (): readonly string[] => {
    const found = props.from[props.name];
    if (found === undefined) throw new Error(`formula "${props.name}" is missing`);
    return found;
  };
  return (
    <div class="formula" tabIndex={0} role="group" aria-label={props.label ?? shell().formula} ref={fit}>
      <Show when={props.label}>
        <span class="label">{props.label}</span>
      </Show>
      <For each={parts()}>{(html) => <span class="part" innerHTML={notateMath(html, notation())} />}</For>
    </div>
  );
}

/** Makes what is wider than the page smaller, until it fits or would be hard to read. */
function fit(box: HTMLElement): void {
  const parts = (): HTMLElement[] => [...box.querySelectorAll<HTMLElement>(".part")];
  const measure = (): void => {
    for (const part of parts()) {
      part.style.fontSize = "";
      const width = part.firstElementChild?.getBoundingClientRect().width ?? 0;
      if (width > box.clientWidth) part.style.fontSize = `${Math.max(SMALLEST, (0.99 * box.clientWidth) / width)}em`;
    }
  };
  onMount(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    onCleanup(() => observer.disconnect());
  });
}

export interface CodeName {
  /** As the formula has it, plain text or Unicode. */
  readonly symbol: string;
  readonly code: string;
  readonly meaning: string;
}

/** The formula beside the names that the code gives its parts. */
export function FormulaTable(props: {
  from: Rendered;
  names: readonly string[];
  /** What a formula is of, where its symbols do not say so. */
  labels?: Readonly<Record<string, string>>;
  rows: readonly CodeName[];
}): JSX.Element {
  return (
    <section class="panel formulas" aria-label={shell().inCode}>
      <h2>{shell().inCode}</h2>
      <Choice
        label={shell().letters}
        value={notation()}
        onChange={setNotation}
        testid="notation"
        options={NOTATIONS.map((value) => ({ value, label: shell().notations[value] }))}
      />
      <div class="split">
        <div>
          <For each={props.names}>
            {(name) => <Formula from={props.from} name={name} label={props.labels?.[name]} />}
          </For>
        </div>
        <div class="scroll" tabIndex={0} role="group" aria-label={shell().codeName}>
          <table>
            <thead>
              <tr>
                <th scope="col">{shell().symbol}</th>
                <th scope="col">{shell().codeName}</th>
                <th scope="col">{shell().meaning}</th>
              </tr>
            </thead>
            <tbody>
              <For each={props.rows}>
                {({ symbol, code, meaning }) => (
                  <tr>
                    <td classList={{ symbol: !HAN.test(symbol) }}>{notateSymbol(symbol, notation())}</td>
                    <td>
                      <code>{code}</code>
                    </td>
                    <td>{meaning}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </div>
    </section>
  );
}
