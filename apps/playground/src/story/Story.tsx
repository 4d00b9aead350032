import {
  createEffect,
  createMemo,
  createSignal,
  createUniqueId,
  For,
  on,
  onCleanup,
  onMount,
  Show,
  type JSX,
} from "solid-js";
import { Failure } from "../components/Failure.tsx";
import type { PageEntry } from "../shell/pages.ts";
import { owed } from "../shell/owed.ts";
import { hrefIn, params } from "../shell/route.ts";
import { shell } from "../shell/shellMessages.ts";
import { answered, choose, chosenAt } from "./progress.ts";
import { stories } from "./stories.ts";
import { addressOf, STEP, type Step, type StepWords, type Story } from "./tell.ts";

/** CSS pixels around what is brought into sight, the contents on a phone among them. */
const MARGIN = 80;

type PageId = PageEntry["id"];

/** A page's story as it stands: fetched after the page, and never in its way. */
export interface Told {
  readonly page: () => PageId;
  readonly story: () => Story | undefined;
  readonly error: () => unknown;
  readonly again: () => void;
  /** The step in the address, counted from zero; undefined where none is told. */
  readonly at: () => number | undefined;
}

export function useStory(page: () => PageId): Told {
  const [story, setStory] = createSignal<Story>();
  const [error, setError] = createSignal<unknown>();
  const again = (): void => {
    setError(undefined);
    const fetching = stories[page()]?.();
    if (fetching !== undefined) void owed(fetching).then((found) => setStory(() => found), setError);
  };
  createEffect(on(page, again));
  const at = createMemo(() => {
    const step = Number(params()[STEP]);
    const count = story()?.steps.length ?? 0;
    return Number.isInteger(step) && step >= 1 && step <= count ? step - 1 : undefined;
  });
  createEffect(on(at, (step) => step !== undefined && bringInSight(story()!.steps[step]!)));
  return { page, story, error, again, at };
}

/** Scrolls to the panel that a step is about, once it is drawn; where the panel is too tall to show its figure above the card, to the figure. */
function bringInSight({ at }: Step): void {
  cancelLooking();
  let left = TRIES;
  const stop = (): void => {
    clearInterval(timer);
    for (const event of BY_HAND) removeEventListener(event, stop);
  };
  const look = (): void => {
    const figure = document.querySelector(`[data-testid="${at}"]`);
    if (figure === null && left-- > 0) return;
    stop();
    if (figure === null) return;
    const panel = figure.closest(".panel") ?? figure;
    const card = document.querySelector(".story")?.getBoundingClientRect().height ?? 0;
    const room = innerHeight - card - MARGIN;
    const { bottom, height } = figure.getBoundingClientRect();
    if (bottom - panel.getBoundingClientRect().top <= room)
      panel.scrollIntoView({ block: "start", behavior: "instant" });
    else if (height > room) figure.scrollIntoView({ block: "start", behavior: "instant" });
    // just above the card, so that what belongs to it is seen over it
    else scrollBy({ top: bottom - (innerHeight - card - MARGIN / 4), behavior: "instant" });
  };
  // some figures come after a model was loaded; a visitor who scrolls meanwhile is left where they are
  const timer = setInterval(look, 100);
  for (const event of BY_HAND) addEventListener(event, stop, { passive: true });
  cancelLooking = stop;
}

const BY_HAND = ["wheel", "touchmove"] as const;
const TRIES = 100;
let cancelLooking = (): void => undefined;

/** The way into the story, under a page's idea. */
export function StoryStart(props: { told: Told }): JSX.Element {
  return (
    <p class="story-start" classList={{ none: stories[props.told.page()] === undefined }}>
      <Show when={props.told.story()}>
        {(story) => {
          const count = (): number => story().steps.length;
          const done = (): number => answered(props.told.page(), count());
          const next = (): number => {
            const open = story().steps.findIndex((_, step) => chosenAt(props.told.page(), step) === undefined);
            return open < 0 ? 0 : open;
          };
          return (
            <>
              <a
                class="go"
                href={hrefIn(props.told.page(), addressOf(story().steps, next()))}
                data-testid="story-start"
              >
                ▸ {next() === 0 ? shell().story.start(count()) : shell().story.goOn(next() + 1)}
              </a>
              <Show when={done() > 0}>
                <span class="quiet">{shell().story.done(done(), count())}</span>
              </Show>
            </>
          );
        }}
      </Show>
      <Show when={params()[STEP] !== undefined && props.told.error()}>
        {(error) => <Failure error={error()} again={props.told.again} />}
      </Show>
    </p>
  );
}

/** The step that is told, at the lower edge of the window, beside the figure that it is about. */
export function StoryStep(props: { told: Told }): JSX.Element {
  return (
    <Show when={props.told.at() !== undefined && props.told.story()}>
      {(story) => <Card page={props.told.page()} story={story()} at={props.told.at() ?? 0} />}
    </Show>
  );
}

function Card(props: { page: PageId; story: Story; at: number }): JSX.Element {
  const count = (): number => props.story.steps.length;
  const words = (): StepWords => props.story.words()[props.at]!;
  const hrefAt = (step: number): string => hrefIn(props.page, addressOf(props.story.steps, step));
  const without = (): Record<string, string> =>
    Object.fromEntries(Object.entries(params()).filter(([name]) => name !== STEP));
  /** Left and right lead to the steps beside this one, unless the keys belong to what has the focus. */
  const byKeys = (event: KeyboardEvent): void => {
    const held = event.target as HTMLElement;
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (held !== document.body && held.closest(".story, h1") === null) return;
    const next = props.at + (event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : Number.NaN);
    if (next >= 0 && next < count()) location.hash = hrefAt(next);
  };
  onMount(() => {
    window.addEventListener("keydown", byKeys);
    onCleanup(() => window.removeEventListener("keydown", byKeys));
  });
  return (
    <section
      class="story"
      aria-label={shell().story.title}
      data-testid="story"
      data-about={props.story.steps[props.at]!.at}
    >
      <div class="story-head">
        <h2>{shell().story.step(props.at + 1, count())}</h2>
        <ol>
          <For each={props.story.steps}>
            {(_, step) => (
              <li>
                <a
                  href={hrefAt(step())}
                  aria-label={shell().story.step(step() + 1, count())}
                  aria-current={step() === props.at ? "step" : undefined}
                  classList={{ done: chosenAt(props.page, step()) !== undefined }}
                >
                  {step() + 1}
                </a>
              </li>
            )}
          </For>
        </ol>
        <a class="close" href={hrefIn(props.page, without())} aria-label={shell().story.close}>
          ×
        </a>
      </div>
      <p class="say" innerHTML={words().say} />
      <Question page={props.page} at={props.at} answer={props.story.steps[props.at]!.answer} words={words()} />
      <Show when={props.at + 1 < count()}>
        <a class="go" href={hrefAt(props.at + 1)} aria-keyshortcuts="ArrowRight" data-testid="story-next">
          {shell().story.next} →
        </a>
      </Show>
    </section>
  );
}

/** A question with its options; what is right, and why, shows when one was chosen. */
function Question(props: { page: PageId; at: number; answer: number; words: StepWords }): JSX.Element {
  const chosen = (): number | undefined => chosenAt(props.page, props.at);
  const id = createUniqueId();
  const mark = (option: number): string => {
    if (chosen() === undefined) return "";
    return option === props.answer ? "✓ " : option === chosen() ? "✗ " : "";
  };
  return (
    <div class="question" role="group" aria-labelledby={id}>
      <p class="ask" id={id} innerHTML={props.words.ask} />
      <div class="options">
        <For each={props.words.options}>
          {(option, i) => (
            <button
              type="button"
              aria-pressed={chosen() === i()}
              classList={{ right: mark(i()) === "✓ ", wrong: mark(i()) === "✗ " }}
              onClick={() => choose(props.page, props.at, i())}
              data-testid={`story-option-${i()}`}
            >
              {mark(i())}
              {option}
            </button>
          )}
        </For>
      </div>
      <p class="reveal" role="status" data-testid="story-reveal">
        <Show when={chosen() !== undefined}>
          <strong>{chosen() === props.answer ? shell().story.right : shell().story.wrong}</strong>{" "}
          <span innerHTML={props.words.reveal} />
        </Show>
      </p>
    </div>
  );
}
