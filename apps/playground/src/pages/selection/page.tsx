import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from "solid-js";
import { shell } from "../../shell/shellMessages.ts";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Button, Choice, Slider, Stat, Toggle } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { FormulaTable } from "../../components/Formula.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { choice, number, text } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { MAMBA, type Mixing, type Selects } from "./compute/selects.ts";
import type { TrainProgress } from "./compute/raceApi.ts";
import { SIZES, type ModelSize } from "./compute/sizes.ts";
import type { RaceSettings } from "./compute/trainer.ts";
import { contenders, type Contender } from "./contender.ts";
import formulas from "./formulas.tex";
import { Inside, Memory } from "./Inside.tsx";
import { DeltaKnob } from "./DeltaKnob.tsx";
import { messages as m } from "./messages.ts";
import type { Racer } from "./racer.ts";
import { lettersCodec, PLACE, randomLetters, toIds, type Letter } from "./sequence.ts";
import { Shapes } from "./Shapes.tsx";
import { Strip } from "./Strip.tsx";
import "./style.css";

const ALPHABET = 6;
const N_TOKENS = 4;
const SIZE_NAMES = ["usual", "small"] as const satisfies readonly ModelSize[];
/** Beside Mamba: its own layer without selection (S4D), the S4 layer itself (DPLR), attention, or nobody. */
const OPPONENTS = ["s4d", "s4", "attention", "nobody"] as const;
const PARTS = ["delta", "B", "C", "gate"] as const satisfies readonly (keyof Selects)[];

export function SelectionPage(): JSX.Element {
  const [seqLen, setSeqLen] = useParam("len", 48, number(16, 96, 4));
  const [seed, setSeed] = useParam("seed", 1, number(1, 1e6, 1));
  const [parts, setParts] = useParam("see", "", text);
  const [size, setSize] = useParam<ModelSize>("size", "usual", choice(...SIZE_NAMES));
  const [against, setAgainst] = useParam<(typeof OPPONENTS)[number]>("against", "s4d", choice(...OPPONENTS));
  const [backend, setBackend] = useBackend();
  const [stored, setStored] = useParam<readonly Letter[]>(
    "letters",
    randomLetters(5, N_TOKENS, 48, ALPHABET),
    lettersCodec,
  );
  const selects = createMemo<Selects>(
    () => Object.fromEntries(PARTS.map((part) => [part, parts().split(",").includes(part)])) as unknown as Selects,
  );
  const letters = (): readonly Letter[] => {
    const fits =
      stored().length === N_TOKENS && stored().every(({ place, token }) => place < seqLen() && token <= ALPHABET);
    return fits ? stored() : randomLetters(5, N_TOKENS, seqLen(), ALPHABET);
  };

  const mamba: Racer = { name: () => m().mamba, tone: "mamba", id: "mamba", contender: contenders.mamba };
  const mixed = (): boolean => PARTS.some((part) => selects()[part]);
  const opponentName = (): string =>
    against() === "s4" || against() === "attention"
      ? m().challenger[against() as "s4" | "attention"]
      : mixed()
        ? m().challenger.mixed
        : m().challenger.s4d;
  const opponent: Racer = {
    name: opponentName,
    get tone() {
      return against() === "attention" ? "attention" : "s4";
    },
    id: "challenger",
    contender: contenders.challenger,
  };
  const racers = createMemo<readonly Racer[]>(() => (against() === "nobody" ? [mamba] : [mamba, opponent]));
  const running = (): boolean => racers().some(({ contender }) => contender.training());
  const started = (): boolean => racers().some(({ contender }) => contender.weights() !== undefined);
  const ids = createMemo(() => toIds(letters(), seqLen(), ALPHABET));
  createEffect(() => {
    for (const { contender } of racers()) contender.look(ids());
  });
  const settings = (): Omit<RaceSettings, "mixing"> => ({
    letters: ALPHABET,
    nTokens: N_TOKENS,
    seqLen: seqLen(),
    seed: seed(),
    size: size(),
  });
  const mixing = (): Mixing => {
    const which = against();
    return which === "s4" || which === "attention" ? which : selects();
  };
  // a model knows one task only: on arrival, and with another setting, the one that learned it is brought back
  createEffect(
    on([seqLen, size, against, backend, parts], () => {
      mamba.contender.recall({ ...settings(), mixing: MAMBA }, backend());
      opponent.contender.recall({ ...settings(), mixing: mixing() }, backend());
    }),
  );
  const start = (): void => {
    mamba.contender.start({ ...settings(), mixing: MAMBA }, backend());
    if (against() !== "nobody") opponent.contender.start({ ...settings(), mixing: mixing() }, backend());
  };
  const [shuffles, setShuffles] = createSignal(100);
  const shuffle = (): void => {
    setShuffles(shuffles() + 1);
    setStored(randomLetters(shuffles(), N_TOKENS, seqLen(), ALPHABET));
  };

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <DeltaKnob />
      <Shapes {...SIZES[size()]} tokens={seqLen() + N_TOKENS} />
      <Panel title={m().race} note={m().raceNote(SIZES[size()].nLayer, SIZES[size()].dModel, SIZES[size()].dState)}>
        <div class="row">
          <Show
            when={!running()}
            fallback={
              <Button onClick={() => racers().forEach(({ contender }) => contender.stop())} testid="stop">
                {m().stop}
              </Button>
            }
          >
            <Button primary onClick={start} testid="start">
              {started() ? m().again : m().start}
            </Button>
            <Show when={started()}>
              <Button
                onClick={() => {
                  setSeed(seed() + 1);
                  start();
                }}
              >
                {m().seed}
              </Button>
            </Show>
          </Show>
          <Slider label={m().length} value={seqLen()} min={16} max={96} step={4} onInput={setSeqLen} testid="length" />
          <Choice
            label={m().opponent}
            value={against()}
            onChange={setAgainst}
            testid="against"
            options={OPPONENTS.map((value) => ({ value, label: m().opponents[value] }))}
          />
          <Choice
            label={m().size}
            value={size()}
            onChange={setSize}
            testid="size"
            options={SIZE_NAMES.map((value) => ({ value, label: m().sizes[value] }))}
          />
          <BackendChoice value={backend()} onChange={setBackend} />
        </div>
        <div class="stats" aria-live="off">
          <For each={racers()}>{(racer) => <Standing racer={racer} />}</For>
        </div>
        <For each={racers()}>
          {({ contender }) => (
            <Show when={contender.error()}>{(error) => <Failure error={error()} again={start} />}</Show>
          )}
        </For>
        <Curves racers={racers()} />
      </Panel>

      <Panel title={m().sequence} note={m().sequenceNote}>
        <div class="row">
          <Button onClick={shuffle} testid="shuffle">
            {m().shuffle}
          </Button>
          <span class="quiet">{m().keys}</span>
        </div>
        <div class="lane" tabIndex={-1}>
          <div style={{ "min-width": `${PLACE * (seqLen() + N_TOKENS)}px` }}>
            <Strip letters={letters()} seqLen={seqLen()} alphabet={ALPHABET} nTokens={N_TOKENS} onChange={setStored} />
            <For each={racers()}>
              {(racer) => <Memory racer={racer} letters={letters()} seqLen={seqLen()} nTokens={N_TOKENS} />}
            </For>
          </div>
        </div>
        <Show when={!started()}>
          <p class="note">{m().untrained}</p>
        </Show>
      </Panel>

      <Inside racers={racers()} letters={letters()} seqLen={seqLen()} nTokens={N_TOKENS} />

      <Panel title={m().ablation} note={m().ablationNote}>
        <div class="row">
          <For each={PARTS}>
            {(part) => (
              <Toggle
                label={m().parts[part]}
                checked={selects()[part]}
                testid={`see-${part}`}
                disabled={against() !== "s4d"}
                onChange={(on) => setParts(PARTS.filter((each) => (each === part ? on : selects()[each])).join(","))}
              />
            )}
          </For>
        </div>
      </Panel>

      <FormulaTable
        from={formulas}
        names={["fixed", "selective", "projections"]}
        labels={{ fixed: "S4", selective: "Mamba" }}
        rows={[
          { symbol: "Δₜ", code: "delta [b, l, d]", meaning: m().rows.delta },
          { symbol: "Bₜ", code: "B [b, l, n]", meaning: m().rows.B },
          { symbol: "Cₜ", code: "C [b, l, n]", meaning: m().rows.C },
          { symbol: "A", code: "A = -exp(ALog)", meaning: m().rows.A },
          { symbol: "W", code: "MambaMixer.select", meaning: m().rows.select },
        ]}
      />
    </Page>
  );
}

function Standing(props: { racer: Racer }): JSX.Element {
  const last = (): TrainProgress | undefined => props.racer.contender.history().at(-1);
  const percent = (): string => {
    const accuracy = props.racer.contender.accuracy();
    return accuracy === undefined ? "–" : `${(100 * accuracy).toFixed(1)} %`;
  };
  const note = (): string => {
    const progress = last();
    if (progress === undefined) return props.racer.contender.training() ? m().preparing : "";
    const reached = props.racer.contender.reached();
    return `${reached === undefined ? m().notReached : m().reached(reached.toFixed(1))} · ${m().steps(progress.steps, progress.seconds.toFixed(0))} · ${m().loss(progress.loss.toFixed(3))}`;
  };
  return (
    <Stat
      label={`${props.racer.name()}${shell().colon}${m().accuracy}`}
      value={percent()}
      note={note()}
      tone={props.racer.tone}
      testid={`accuracy-${props.racer.id}`}
    />
  );
}

function Curves(props: { racers: readonly Racer[] }): JSX.Element {
  const steps = createMemo(() =>
    [...new Set(props.racers.flatMap(({ contender }) => contender.history().map((point) => point.steps)))].sort(
      (a, b) => a - b,
    ),
  );
  const aligned = (contender: Contender, value: (point: TrainProgress) => number | undefined): (number | null)[] => {
    const found = new Map(contender.history().map((point) => [point.steps, value(point)]));
    let last: number | null = null;
    const end = contender.history().at(-1)?.steps ?? 0;
    // accuracy is measured every second time: the line goes on at its last value until the next one
    return steps().map((step) => (step > end ? null : (last = found.get(step) ?? last)));
  };
  return (
    <div class="split">
      <LinePlot
        label={m().accuracies}
        x={[0, ...steps()]}
        xLabel={m().stepAxis}
        yLabel={m().accuracyAxis}
        yRange={[0, 102]}
        lines={[
          ...props.racers.map(({ name, tone, contender }) => ({
            label: name(),
            tone,
            values: [null, ...aligned(contender, (p) => (p.accuracy === undefined ? undefined : 100 * p.accuracy))],
          })),
          {
            label: m().chance,
            tone: "quiet",
            values: [0, ...steps()].map(() => 100 / ALPHABET),
            width: 1,
          },
        ]}
      />
      <LinePlot
        label={m().losses}
        x={[0, ...steps()]}
        xLabel={m().stepAxis}
        yLabel={m().lossAxis}
        lines={props.racers.map(({ name, tone, contender }) => ({
          label: name(),
          tone,
          values: [null, ...aligned(contender, (p) => p.loss)],
        }))}
      />
    </div>
  );
}
