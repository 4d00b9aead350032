import { For, type JSX } from "solid-js";
import { Panel } from "../../components/Page.tsx";
import { lettersOf, notation } from "../../shell/notation.ts";
import { told, type Numbers } from "./compute/at.ts";
import { lights, lit, Symbol, type Part } from "./lit.tsx";
import { messages as m } from "./messages.ts";
import { shownToken } from "./token.ts";

/** Lines of the block as one would write it, and what stands in each. */
const CODE: readonly { readonly text: string; readonly parts: readonly Part[] }[] = [
  { text: "let [v, z] = split(inProj(norm(stream)))", parts: ["stream", "v", "z"] },
  { text: "u = silu(conv(v))", parts: ["conv", "u"] },
  { text: "[dt, B, C] = split(xProj(u))", parts: ["B", "C"] },
  { text: "delta = softplus(dtProj(dt) + dtBias)", parts: ["delta"] },
  { text: "ABar = exp(delta * A)", parts: ["ABar"] },
  { text: "state = ABar * state + delta * B * u", parts: ["x", "ABar", "B"] },
  { text: "y = sum(C * state) + D * u", parts: ["y", "C", "D"] },
  { text: "y = y * silu(z)", parts: ["gate", "z"] },
  { text: "stream = stream + outProj(y)", parts: ["out"] },
];

/** The equations of one step with the numbers that stand in them now, beside the lines of code that compute them. */
export function Equation(props: {
  at: Numbers;
  token: string;
  layer: number;
  channel: number;
  state: number;
}): JSX.Element {
  const S = (symbol: { of: Part; text: string }): JSX.Element => (
    <Symbol of={symbol.of} about={m().parts[symbol.of]} text={symbol.text} />
  );
  const letter = (): { x: string; u: string } => lettersOf(notation());
  const N = (number: { id: string; value: number }): JSX.Element => (
    <b data-testid={`eq-${number.id}`}>{told(number.value)}</b>
  );
  return (
    <Panel
      title={m().equation}
      note={m().equationNote(shownToken(props.token), props.layer, props.channel, props.state)}
    >
      <div class="split">
        <ol class="steps" data-testid="equation">
          <li>
            {S({ of: "u", text: letter().u })} = SiLU({S({ of: "conv", text: "conv v" })}) = SiLU(
            <N id="convolved" value={props.at.convolved} />) = <N id="u" value={props.at.u} />
          </li>
          <li>
            {S({ of: "delta", text: "Δ" })} = softplus(
            <N id="deltaRaw" value={props.at.deltaRaw} />) = <N id="delta" value={props.at.delta} />
          </li>
          <li>
            {S({ of: "ABar", text: "Ā" })} = exp(Δ A) = exp({told(props.at.delta)} · <N id="A" value={props.at.A} />) ={" "}
            <N id="ABar" value={props.at.ABar} />
          </li>
          <li>
            {S({ of: "x", text: `${letter().x}ₜ` })} = Ā {letter().x}ₜ₋₁ + Δ {S({ of: "B", text: "B" })} {letter().u} ={" "}
            {told(props.at.ABar)} · <N id="before" value={props.at.before} /> + {told(props.at.delta)} ·{" "}
            <N id="B" value={props.at.B} /> · {told(props.at.u)} = <N id="x" value={props.at.x} />
          </li>
          <li>
            {S({ of: "y", text: "y" })} = Σ {S({ of: "C", text: "C" })} {letter().x}ₜ + {S({ of: "D", text: "D" })}{" "}
            {letter().u} = <N id="read" value={props.at.read} /> + <N id="D" value={props.at.D} /> · {told(props.at.u)}{" "}
            = <N id="y" value={props.at.y} />
          </li>
          <li>
            y · {S({ of: "gate", text: "SiLU(z)" })} = {told(props.at.y)} · SiLU(
            <N id="z" value={props.at.z} />) = {told(props.at.y)} · <N id="gate" value={props.at.gate} /> ={" "}
            <N id="gated" value={props.at.gated} />
          </li>
        </ol>
        <pre class="code-lines" tabIndex={0}>
          <For each={CODE}>
            {({ text, parts }) => (
              <code
                class="code-line"
                classList={{ lit: parts.some((part) => part === lit()) }}
                data-parts={parts.join(" ")}
                onPointerEnter={lights(parts[0]!).onPointerEnter}
                onPointerLeave={lights(parts[0]!).onPointerLeave}
              >
                {text}
              </code>
            )}
          </For>
        </pre>
      </div>
    </Panel>
  );
}
