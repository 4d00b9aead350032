import {
  createEffect,
  createSignal,
  ErrorBoundary,
  For,
  onMount,
  Show,
  Suspense,
  type Component,
  type JSX,
} from "solid-js";
import { Dynamic } from "solid-js/web";
import { Failure } from "../components/Failure.tsx";
import { announced } from "./arrival.ts";
import { LANGUAGES, language, setLanguage, type Language } from "./language.ts";
import { pages } from "./pages.ts";
import { hrefOf, page } from "./route.ts";
import { shell } from "./shellMessages.ts";
import { theme, toggleTheme } from "./theme.ts";

const currentIndex = (): number =>
  Math.max(
    0,
    pages.findIndex(({ id }) => id === page()),
  );

/** Header, contents, the page and the way on. */
export function Frame(): JSX.Element {
  const [offline, setOffline] = createSignal<Component>();
  onMount(() =>
    afterLoad(async () => {
      document.documentElement.dataset["math"] = "";
      const { Offline } = await import("../offline/Offline.tsx");
      setOffline(() => Offline);
    }),
  );
  const title = (): string => shell().pages[pages[currentIndex()]!.id];
  createEffect(() => {
    document.documentElement.lang = language() === "zh" ? "zh-Hans" : "en";
    document.title = `${title()} · ${shell().name}`;
  });
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>
        {shell().skip}
      </a>
      <Header />
      <p class="hidden" role="status" data-testid="announced">
        {announced()}
      </p>
      <div class="columns">
        <Contents />
        <main id="content" tabIndex={-1}>
          {/* keyed: what went wrong on one page ends with it */}
          <Show when={pages[currentIndex()]} keyed>
            {(entry) => <PageOrFailure component={entry.component} />}
          </Show>
          <Ways />
          <Show when={offline()}>{(Offline) => <Dynamic component={Offline()} />}</Show>
        </main>
      </div>
    </>
  );
}

/** Runs once the page has all that it needs for itself, and a moment more. What fails is left out. */
function afterLoad(run: () => Promise<unknown>): void {
  const soon = (): void => void setTimeout(() => void run().catch(() => undefined), 1500);
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon, { once: true });
}

/** A page, or what went wrong with it. Some browsers remember a chunk that failed: where trying again did not help, the page is loaded anew. */
function PageOrFailure(props: { component: Component }): JSX.Element {
  let tries = 0;
  return (
    <ErrorBoundary
      fallback={(error: unknown, reset) => (
        <Failure error={error} again={() => (++tries > 1 ? location.reload() : reset())} />
      )}
    >
      <Suspense fallback={<p class="quiet">{shell().loading}</p>}>
        <Dynamic component={props.component} />
      </Suspense>
    </ErrorBoundary>
  );
}

function skipToContent(event: MouseEvent): void {
  event.preventDefault(); // the address holds the page, so an anchor would leave it
  document.getElementById("content")?.focus();
}

function Header(): JSX.Element {
  return (
    <header class="top">
      <a class="brand" href={hrefOf("why")}>
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="var(--accent)" />
          <path
            d="M5 21c4-14 7-14 9-5s4 9 6 1 4-6 7 3"
            fill="none"
            stroke="var(--on-accent)"
            stroke-width="3"
            stroke-linecap="round"
          />
        </svg>
        <span>{shell().name}</span>
      </a>
      <div class="tools">
        <label class="language">
          <span class="hidden">{shell().language}</span>
          <select
            value={language()}
            onChange={(event) => setLanguage(event.currentTarget.value as Language)}
            data-testid="language"
          >
            <For each={Object.entries(LANGUAGES)}>{([code, name]) => <option value={code}>{name}</option>}</For>
          </select>
        </label>
        <button
          type="button"
          class="icon"
          onClick={toggleTheme}
          aria-label={theme() === "dark" ? shell().toLight : shell().toDark}
          data-testid="theme"
        >
          {theme() === "dark" ? "☀" : "☾"}
        </button>
      </div>
    </header>
  );
}

function Contents(): JSX.Element {
  return (
    <nav class="contents" aria-label={shell().contents}>
      <ol>
        <For each={pages}>
          {({ id }, index) => (
            <li>
              <a
                href={hrefOf(id)}
                aria-current={index() === currentIndex() ? "page" : undefined}
                ref={(link) => revealWhenCurrent(link, index)}
              >
                <span class="number">{index() + 1}</span>
                <span>{shell().pages[id]}</span>
              </a>
            </li>
          )}
        </For>
      </ol>
    </nav>
  );
}

/** On a phone the contents scroll sideways: the current page should be in sight. */
function revealWhenCurrent(link: HTMLElement, index: () => number): void {
  createEffect(() => {
    if (index() !== currentIndex()) return;
    requestAnimationFrame(() => {
      const list = link.closest("ol");
      if (list && list.scrollWidth > list.clientWidth)
        list.scrollTo({ left: link.offsetLeft - list.clientWidth / 2 + link.clientWidth / 2 });
    });
  });
}

function Ways(): JSX.Element {
  const before = (): (typeof pages)[number] | undefined => pages[currentIndex() - 1];
  const after = (): (typeof pages)[number] | undefined => pages[currentIndex() + 1];
  return (
    <nav class="ways" aria-label={`${shell().previous} / ${shell().next}`}>
      <Show when={before()} fallback={<span />}>
        {(entry) => (
          <a href={hrefOf(entry().id)}>
            ← {shell().previous}
            {shell().colon}
            {shell().pages[entry().id]}
          </a>
        )}
      </Show>
      <Show when={after()}>
        {(entry) => (
          <a href={hrefOf(entry().id)} class="forward">
            {shell().next}
            {shell().colon}
            {shell().pages[entry().id]} →
          </a>
        )}
      </Show>
    </nav>
  );
}
