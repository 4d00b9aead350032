import { createEffect, createResource, createSignal, For, Show, type JSX } from "solid-js";
import { Button, Toggle } from "../../components/controls.tsx";
import { Page, Panel } from "../../components/Page.tsx";
import { remember, remembered } from "../../shell/remembered.ts";
import { text } from "../../shell/codecs.ts";
import { hrefIn, useParam } from "../../shell/route.ts";
import { chosenAt } from "../../story/progress.ts";
import { stories } from "../../story/stories.ts";
import { addressOf, type Story } from "../../story/tell.ts";
import { CONCEPTS, HEADINGS, POINT_NAMES, POINTS, type Heading, type Place, type Point } from "./concepts.ts";
import { messages as m } from "./messages.ts";
import "./style.css";

/** An explanation shorter than this is none; Chinese says more with a character. */
const ENOUGH = 80;
const lengthOf = (text: string): number => [...text].reduce((sum, c) => sum + (/\p{Script=Han}/u.test(c) ? 3 : 1), 0);

export function IdeasPage(): JSX.Element {
  const [wanted, setWanted] = useParam("find", "", text);
  const [told] = createResource(async () => {
    const found = await Promise.all(Object.entries(stories).map(async ([page, load]) => [page, await load()] as const));
    return Object.fromEntries(found) as Partial<Record<string, Story>>;
  });
  const hrefOf = ({ page, step }: Place): string => {
    const steps = told.latest?.[page]?.steps;
    return hrefIn(page, steps === undefined ? {} : addressOf(steps, step - 1));
  };
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <Panel title={m().find}>
        <input
          type="text"
          aria-label={m().find}
          value={wanted()}
          onInput={(event) => setWanted(event.currentTarget.value)}
          data-testid="find"
        />
      </Panel>
      <For each={HEADINGS}>{(heading) => <Section heading={heading} wanted={wanted()} hrefOf={hrefOf} />}</For>
      <Explain hrefOf={hrefOf} />
    </Page>
  );
}

/** The ideas under a heading whose name, or whose heading, has what is looked for. */
function Section(props: { heading: Heading; wanted: string; hrefOf: (place: Place) => string }): JSX.Element {
  const names = (): Readonly<Record<string, string>> => m().concepts;
  const found = (): [string, Place][] => {
    const all = Object.entries(CONCEPTS[props.heading]) as [string, Place][];
    const has = (words: string): boolean => words.toLowerCase().includes(props.wanted.trim().toLowerCase());
    return has(m().headings[props.heading]) ? all : all.filter(([name]) => has(names()[name]!));
  };
  return (
    <Show when={found().length > 0}>
      <Panel title={m().headings[props.heading]}>
        <ul class="ideas">
          <For each={found()}>
            {([name, place]) => {
              const done = (): boolean => chosenAt(place.page, place.step - 1) !== undefined;
              return (
                <li>
                  <span class="sign" aria-hidden="true">
                    {done() ? "✓" : "·"}
                  </span>
                  <a href={props.hrefOf(place)} data-idea={name}>
                    {names()[name]}
                    <Show when={done()}>
                      <span class="hidden"> ({m().answered})</span>
                    </Show>
                  </a>
                </li>
              );
            }}
          </For>
        </ul>
      </Panel>
    </Show>
  );
}

/** The visitor explains; then, and not before, sees what there was to say. */
function Explain(props: { hrefOf: (place: Place) => string }): JSX.Element {
  const [text, setText] = createSignal(remembered("explanation") ?? "");
  const [shown, setShown] = createSignal(false);
  const [ticked, setTicked] = createSignal<ReadonlySet<string>>(
    new Set((remembered("explained") ?? "").split(",").filter((name) => Object.hasOwn(POINTS, name))),
  );
  createEffect(() => remember("explanation", text()));
  createEffect(() => remember("explained", [...ticked()].join(",")));
  const missing = (): number => Math.max(0, ENOUGH - lengthOf(text()));
  const tick = (point: Point, on: boolean): void => {
    const next = new Set(ticked());
    if (on) next.add(point);
    else next.delete(point);
    setTicked(next);
  };
  return (
    <Panel title={m().explain} note={m().explainNote} class="explain">
      <textarea
        aria-label={m().yours}
        value={text()}
        onInput={(event) => setText(event.currentTarget.value)}
        data-testid="explanation"
      />
      <div class="row">
        <Button primary disabled={missing() > 0} onClick={() => setShown(true)} testid="show-points">
          {m().show}
        </Button>
        <Show when={missing() > 0}>
          <span class="quiet">{m().more(missing())}</span>
        </Show>
      </div>
      <Show when={shown()}>
        <h3>{m().checklist}</h3>
        <p class="note">{m().checklistNote}</p>
        <ul class="points" data-testid="points">
          <For each={POINT_NAMES}>
            {(point) => (
              <li data-point={point}>
                <Toggle label={m().points[point]} checked={ticked().has(point)} onChange={(on) => tick(point, on)} />
                <Show when={POINTS[point].said.test(text())}>
                  <span class="tag">{m().mentioned}</span>
                </Show>
                <a href={props.hrefOf(POINTS[point])}>{m().told}</a>
              </li>
            )}
          </For>
        </ul>
        <p class="note" role="status" data-testid="ticked">
          {m().ticked(ticked().size, POINT_NAMES.length)}
        </p>
      </Show>
    </Panel>
  );
}
