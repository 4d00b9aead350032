import { For, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";

/** A formula rendered while building. @throws when the page's .tex file lacks it. */
export function Formula(props: { from: Readonly<Record<string, string>>; name: string }): JSX.Element {
  const html = (): string => {
    const found = props.from[props.name];
    if (found === undefined) throw new Error(`formula "${props.name}" is missing`);
    return found;
  };
  return <div class="formula" tabIndex={0} role="group" aria-label={shell().formula} innerHTML={html()} />;
}

export interface CodeName {
  /** As the formula has it, plain text or Unicode. */
  readonly symbol: string;
  readonly code: string;
  readonly meaning: string;
}

/** The formula beside the names that the code gives its parts. */
export function FormulaTable(props: {
  from: Readonly<Record<string, string>>;
  names: readonly string[];
  rows: readonly CodeName[];
}): JSX.Element {
  return (
    <section class="panel formulas" aria-label={shell().inCode}>
      <h2>{shell().inCode}</h2>
      <div class="split">
        <div>
          <For each={props.names}>{(name) => <Formula from={props.from} name={name} />}</For>
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
                    <td class="symbol">{symbol}</td>
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
