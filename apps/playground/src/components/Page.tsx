import { For, onCleanup, onMount, Show, type JSX } from "solid-js";
import { arrive } from "../shell/arrival.ts";
import { pages } from "../shell/pages.ts";
import { page } from "../shell/route.ts";
import { narrow } from "../shell/screen.ts";
import { shell } from "../shell/shellMessages.ts";
import { letGo, lighting, withWords } from "./lighting.ts";
import { StoryStart, StoryStep, useStory } from "../story/Story.tsx";

/** A page's frame: number, title, the idea in one sentence, a short text (folded on a phone, so that the controls are in sight), then the interaction. */
export function Page(props: {
  idea: string;
  text: readonly string[];
  children: JSX.Element;
  hints: readonly string[];
}): JSX.Element {
  const index = (): number =>
    Math.max(
      0,
      pages.findIndex(({ id }) => id === page()),
    );
  const paragraphs = (): JSX.Element => (
    <For each={props.text}>{(paragraph) => <p innerHTML={withWords(paragraph)} />}</For>
  );
  const told = useStory(() => pages[index()]!.id);
  let title: HTMLHeadingElement | undefined;
  onMount(() => arrive(title!));
  onCleanup(letGo);
  return (
    <article {...lighting}>
      <header class="title">
        <p class="eyebrow">
          {index() + 1} / {pages.length}
        </p>
        <h1 tabIndex={-1} ref={(element) => (title = element)}>
          {shell().pages[pages[index()]!.id]}
        </h1>
        <p class="idea">{props.idea}</p>
        <StoryStart told={told} />
      </header>
      <Show when={narrow()} fallback={<div class="prose">{paragraphs()}</div>}>
        <details class="prose">
          <summary>{shell().readFirst}</summary>
          {paragraphs()}
        </details>
      </Show>
      {props.children}
      <Show when={props.hints.length > 0}>
        <section class="hints" aria-label={shell().tryThis}>
          <h2>{shell().tryThis}</h2>
          <ul>
            <For each={props.hints}>{(hint) => <li innerHTML={withWords(hint)} />}</For>
          </ul>
        </section>
      </Show>
      <StoryStep told={told} />
    </article>
  );
}

/** A titled part of a page. */
export function Panel(props: { title?: string; note?: string; children: JSX.Element; class?: string }): JSX.Element {
  return (
    <section class={`panel ${props.class ?? ""}`} aria-label={props.title}>
      <Show when={props.title}>
        <h2>{props.title}</h2>
      </Show>
      <Show when={props.note}>
        <p class="note" innerHTML={withWords(props.note ?? "")} />
      </Show>
      {props.children}
    </section>
  );
}
