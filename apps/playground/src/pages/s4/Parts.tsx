import { type JSX } from "solid-js";
import { Panel } from "../../components/Page.tsx";
import { hrefOf } from "../../shell/route.ts";
import type { InitView } from "./compute/s4Api.ts";
import { messages as m } from "./messages.ts";

/** The three things that S4 is made of, with a way back to each. */
export function Parts(props: { n: number; delta: number; view: InitView | undefined }): JSX.Element {
  const eigenvalue = (): string => {
    const values = props.view?.eigenvalues;
    if (values === undefined) return "–";
    const [re, im] = [values[0]!, Math.abs(values[1]!)];
    return `${re.toFixed(2)} ± ${im.toFixed(2)}i`.replace("-", "−");
  };
  const kept = (): string => {
    const re = props.view?.eigenvalues[0];
    return re === undefined ? "–" : Math.exp(props.delta * re).toFixed(4);
  };
  return (
    <Panel title={m().parts} note={m().partsNote}>
      <ol class="thirds parts" data-testid="s4-parts">
        <li>
          <a href={hrefOf("state-space")}>{m().part.ssm}</a>
          <span>{m().part.ssmSays(props.n)}</span>
        </li>
        <li>
          <a href={hrefOf("hippo")}>{m().part.hippo}</a>
          <span>{m().part.hippoSays(eigenvalue())}</span>
        </li>
        <li>
          <a href={hrefOf("discretize")}>{m().part.discrete}</a>
          <span data-testid="s4-kept">{m().part.discreteSays(props.delta.toFixed(4), kept())}</span>
        </li>
      </ol>
    </Panel>
  );
}
