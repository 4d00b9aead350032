import { Rng } from "@statespace/core";
import { createMemo, createSignal, For, onMount, Show, type JSX } from "solid-js";
import { CodeBeside } from "../../code/CodeBeside.tsx";
import { BackendChoice, useBackend } from "../../components/BackendChoice.tsx";
import { Button, Choice, Stat } from "../../components/controls.tsx";
import { Failure } from "../../components/Failure.tsx";
import { LinePlot } from "../../components/LinePlot.tsx";
import { NumberGrid } from "../../components/NumberGrid.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { number } from "../../shell/codecs.ts";
import { useParam } from "../../shell/route.ts";
import { useLatest } from "../../workers/latest.ts";
import { inductionCode } from "./code.ts";
import { askedLast } from "./compute/asked.ts";
import { ANSWERS, answerId, FILLERS, makeRow, QUESTIONS, TRAINED, WITHIN } from "./compute/task.ts";
import { messages as m } from "./messages.ts";
import { pupils, type Pupil } from "./pupil.ts";
import "./style.css";
import { answerWords, pairsOf, wordPairs, type WordPair } from "./words.ts";

/** Score of a match in the induction head that is written by hand. */
const SHARPNESS = 8;
const TONES = { mamba: "mamba", s4: "s4", attention: "attention" } as const;

export function InductionPage(): JSX.Element {
  const [backend, setBackend] = useBackend();
  const [stored, setStored] = useParam<readonly WordPair[]>("qa", [], wordPairs);
  const [asked, setAsked] = useParam("asked", 1, number(1, 2, 1));
  const [seed, setSeed] = useParam("seed", 1, number(1, 1e6, 1));
  const [noise, setNoise] = useParam("noise", 1, number(1, 1e6, 1));
  const words = createMemo<readonly WordPair[]>(() =>
    stored().length > 0 ? stored() : [0, 1].map((i) => ({ question: m().questions[i]!, answer: m().answers[i]! })),
  );
  const names = createMemo(() => answerWords(words(), m().answers));
  const pairs = createMemo(() => pairsOf(words(), m().answers));
  const row = createMemo(() => askedLast(makeRow(new Rng(noise()), pairs(), TRAINED, WITHIN), pairs(), asked() - 1));
  const edit = (at: number, part: Partial<WordPair>): void => {
    const next = words().map((pair, i) => (i === at ? { ...pair, ...part } : pair));
    // a half-typed word, or one that is there twice, waits
    if (wordPairs.parse(wordPairs.format(next)) !== undefined) setStored(next);
  };
  onMount(() => pupils.forEach((pupil) => void pupil.recall(seed(), backend())));
  const learning = (): boolean => pupils.some((pupil) => pupil.learning());
  const started = (): boolean => pupils.some((pupil) => pupil.history().length > 0);
  const learn = (): void => pupils.forEach((pupil) => void pupil.learn(seed(), backend()));

  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().pairs} note={m().pairsNote}>
        <For each={words()}>
          {(pair, i) => (
            <div class="row">
              <label class="field">
                <span>{i() + 1}</span>
                <input
                  type="text"
                  value={pair.question}
                  onChange={(event) => edit(i(), { question: event.currentTarget.value })}
                  data-testid={`question-${i() + 1}`}
                />
              </label>
              <label class="field">
                <span>{m().answerTo(pair.question)}</span>
                <input
                  type="text"
                  value={pair.answer}
                  onChange={(event) => edit(i(), { answer: event.currentTarget.value })}
                  data-testid={`answer-${i() + 1}`}
                />
              </label>
            </div>
          )}
        </For>
        <Choice
          label={m().asked}
          value={String(asked()) as "1" | "2"}
          onChange={(which) => setAsked(Number(which))}
          testid="asked"
          options={words().map(({ question }, i) => ({ value: String(i + 1) as "1" | "2", label: question }))}
        />
        <h3>{m().sequence}</h3>
        <Sequence ids={row().ids} words={words()} answers={names()} />
        <div class="row">
          <Button onClick={() => setNoise(noise() + 1)}>{m().otherNoise}</Button>
        </div>
        <CodeBeside of={inductionCode(wordsOf(row().ids, words(), names()), SHARPNESS)} />
      </Panel>

      <Panel title={m().learn} note={m().trainNote(TRAINED)}>
        <div class="row">
          <Show
            when={!learning()}
            fallback={
              <Button onClick={() => pupils.forEach((pupil) => pupil.stop())} testid="stop">
                {m().stop}
              </Button>
            }
          >
            <Button
              primary
              onClick={() => {
                if (started()) setSeed(seed() + 1);
                learn();
              }}
              testid="learn"
            >
              {started() ? m().again : m().train}
            </Button>
          </Show>
          <BackendChoice value={backend()} onChange={setBackend} />
        </div>
        <div class="stats" aria-live="off">
          <For each={pupils}>{(pupil) => <Standing pupil={pupil} />}</For>
        </div>
        <For each={pupils}>
          {(pupil) => <Show when={pupil.error()}>{(error) => <Failure error={error()} again={learn} />}</Show>}
        </For>
        <Curves />
        <h3>{m().answersNow}</h3>
        <Answers
          names={names()}
          right={pairs()[asked() - 1]!.answer}
          ask={{ pairs: pairs(), asked: asked() - 1, seed: noise() }}
        />
      </Panel>

      <Panel title={m().lengths} note={m().lengthsNote}>
        <Lengths pairs={pairs()} ready={started() && !learning()} />
      </Panel>
    </Page>
  );
}

/** Every token in words. */
function wordsOf(ids: Int32Array, words: readonly WordPair[], answers: readonly string[]): string[] {
  return Array.from(ids, (id) => {
    if (id < FILLERS) return "·";
    return id < FILLERS + QUESTIONS ? words[id - FILLERS]!.question : answers[id - answerId(0)]!;
  });
}

/** A row of tokens in words. */
function Sequence(props: { ids: Int32Array; words: readonly WordPair[]; answers: readonly string[] }): JSX.Element {
  const said = createMemo(() => wordsOf(props.ids, props.words, props.answers));
  return (
    <div class="tokens" data-testid="sequence">
      <For each={Array.from(props.ids)}>
        {(id, i) => (
          <span
            classList={{ filler: id < FILLERS, question: id >= FILLERS && id < answerId(0), answer: id >= answerId(0) }}
          >
            {said()[i()]}
          </span>
        )}
      </For>
      <span class="asked">?</span>
    </div>
  );
}

function Standing(props: { pupil: Pupil }): JSX.Element {
  const last = (): ReturnType<Pupil["history"]>[number] | undefined => props.pupil.history().at(-1);
  return (
    <Stat
      label={m().right(m().kinds[props.pupil.kind])}
      value={last() === undefined ? "–" : `${(100 * last()!.right).toFixed(1)} %`}
      note={last() === undefined ? "" : m().steps(last()!.steps, last()!.seconds.toFixed(0))}
      tone={TONES[props.pupil.kind]}
      testid={`right-${props.pupil.kind}`}
    />
  );
}

function Curves(): JSX.Element {
  const steps = createMemo(() =>
    [...new Set(pupils.flatMap((pupil) => pupil.history().map((point) => point.steps)))].sort((a, b) => a - b),
  );
  return (
    <LinePlot
      label={m().curve}
      x={steps().length > 0 ? steps() : [0, 100]}
      xLabel={m().stepAxis}
      yLabel={m().rightAxis}
      yRange={[0, 102]}
      lines={[
        ...pupils.map((pupil) => {
          const found = new Map(pupil.history().map((point) => [point.steps, 100 * point.right]));
          return {
            label: m().kinds[pupil.kind],
            tone: TONES[pupil.kind],
            values: steps().length > 0 ? steps().map((step) => found.get(step) ?? null) : [null, null],
          };
        }),
        {
          label: m().chance,
          tone: "quiet",
          values: (steps().length > 0 ? steps() : [0, 100]).map(() => 100 / ANSWERS),
          width: 1,
        },
      ]}
    />
  );
}

/** The probability that each learner gives to each answer, in the sequence above. */
function Answers(props: {
  names: readonly string[];
  right: number;
  ask: { pairs: ReturnType<typeof pairsOf>; asked: number; seed: number };
}): JSX.Element {
  const told = pupils.map((pupil) =>
    useLatest(
      createMemo(() => ({ ...props.ask, version: pupil.version() })),
      ({ pairs, asked, seed }) => pupil.answer(pairs, asked, seed),
    ),
  );
  const any = (): boolean => told.some(({ value }) => value() !== undefined);
  return (
    <Show when={any()} fallback={<p class="note">{m().untrained}</p>}>
      <NumberGrid
        label={m().answersNow}
        rows={pupils.map(({ kind }) => m().answer(m().kinds[kind]))}
        columns={props.names.map((name, i) => (i === props.right ? `${name} ✓` : name))}
        value={(which, answer) => told[which]!.value()?.[answer]}
        show={(share) => `${(100 * share).toFixed(1)} %`}
        limit={1}
        testid="answers"
      />
    </Show>
  );
}

function Lengths(props: { pairs: ReturnType<typeof pairsOf>; ready: boolean }): JSX.Element {
  const [busy, setBusy] = createSignal(false);
  async function measure(): Promise<void> {
    setBusy(true);
    await Promise.all(pupils.map((pupil) => pupil.askAtLengths(props.pairs)));
    setBusy(false);
  }
  const factors = createMemo(() => {
    const found = [...new Set(pupils.flatMap((pupil) => pupil.lengths().map(({ factor }) => factor)))];
    return found.sort((a, b) => a - b);
  });
  return (
    <>
      <div class="row">
        <Button primary disabled={busy() || !props.ready} onClick={() => void measure()} testid="measure">
          {m().measure}
        </Button>
        <Show when={!props.ready}>
          <span class="quiet">{m().untrained}</span>
        </Show>
      </div>
      <Show when={factors().length > 1}>
        <div data-testid="lengths" data-count={factors().length}>
          <LinePlot
            label={m().lengths}
            x={factors()}
            logX
            xLabel={m().factor}
            yLabel={m().rightAxis}
            yRange={[0, 102]}
            lines={[
              ...pupils.map((pupil) => ({
                label: m().kinds[pupil.kind],
                tone: TONES[pupil.kind],
                values: factors().map((factor) => {
                  const right = pupil.lengths().find((point) => point.factor === factor)?.right;
                  return right === undefined ? null : 100 * right;
                }),
                points: true,
              })),
              { label: m().chance, tone: "quiet", values: factors().map(() => 100 / ANSWERS), width: 1 },
            ]}
          />
        </div>
      </Show>
    </>
  );
}
