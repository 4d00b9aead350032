import { createEffect, createUniqueId, For, on, onMount, Show, type JSX } from "solid-js";
import { useName } from "./names.ts";

/** A labelled range with its value. `log` spaces it by ratio. */
export function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  step?: number;
  log?: boolean;
  show?: (value: number) => string;
  onInput: (value: number) => void;
  testid?: string;
}): JSX.Element {
  const id = createUniqueId();
  const toTrack = (value: number): number => (props.log ? Math.log(value) : value);
  const fromTrack = (track: number): number => (props.log ? Math.exp(track) : track);
  const shown = (): string => (props.show ? props.show(props.value) : String(+props.value.toPrecision(3)));
  const step = (): number | "any" =>
    props.log ? (toTrack(props.max) - toTrack(props.min)) / 200 : (props.step ?? "any");
  return (
    <div class="slider">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        type="range"
        min={toTrack(props.min)}
        max={toTrack(props.max)}
        step={step()}
        value={toTrack(props.value)}
        aria-valuetext={shown()}
        data-testid={props.testid}
        onInput={(event) =>
          props.onInput(Math.min(props.max, Math.max(props.min, fromTrack(event.currentTarget.valueAsNumber))))
        }
      />
      <output for={id}>{shown()}</output>
    </div>
  );
}

/** One of a few: a radio group that looks like a row of buttons. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { readonly value: T; readonly label: string; readonly disabled?: boolean }[];
  onChange: (value: T) => void;
  testid?: string;
}): JSX.Element {
  const name = useName();
  return (
    <fieldset class="choice" data-testid={props.testid}>
      <legend>{props.label}</legend>
      <div>
        <For each={props.options}>
          {(option) => (
            <label>
              <input
                type="radio"
                name={name}
                value={option.value}
                checked={props.value === option.value}
                disabled={option.disabled}
                onChange={() => props.onChange(option.value)}
              />
              <span>{option.label}</span>
            </label>
          )}
        </For>
      </div>
    </fieldset>
  );
}

export function Toggle(props: {
  label: string;
  checked: boolean;
  onChange: (value: boolean) => void;
  testid?: string;
  disabled?: boolean;
}): JSX.Element {
  return (
    <label class="toggle">
      <input
        type="checkbox"
        role="switch"
        checked={props.checked}
        disabled={props.disabled}
        data-testid={props.testid}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>{props.label}</span>
    </label>
  );
}

export function Button(props: {
  onClick: () => void;
  children: JSX.Element;
  primary?: boolean;
  disabled?: boolean | undefined;
  testid?: string | undefined;
}): JSX.Element {
  return (
    <button
      type="button"
      class={props.primary ? "primary" : ""}
      disabled={props.disabled}
      onClick={() => props.onClick()}
      data-testid={props.testid}
    >
      {props.children}
    </button>
  );
}

/** A matrix of numbers that can be edited. */
export function MatrixInput(props: {
  label: string;
  rows: number;
  cols: number;
  values: readonly number[];
  onChange: (values: number[]) => void;
  testid?: string;
}): JSX.Element {
  const set = (index: number, value: number): void => {
    if (Number.isFinite(value)) props.onChange(props.values.map((old, i) => (i === index ? value : old)));
  };
  return (
    <fieldset class="matrix" style={{ "--cols": props.cols }} data-testid={props.testid}>
      <legend>{props.label}</legend>
      <div>
        <For each={Array.from({ length: props.rows * props.cols }, (_, i) => i)}>
          {(i) => (
            <NumberCell
              label={`${props.label} ${Math.floor(i / props.cols) + 1},${(i % props.cols) + 1}`}
              value={props.values[i]!}
              onChange={(value) => set(i, value)}
            />
          )}
        </For>
      </div>
    </fieldset>
  );
}

/**
 * A number that can be typed. While it is typed the text belongs to the visitor: "-" is no number yet, and "-0" written back as "0" would
 * have lost its sign. On leaving, the cell shows the number that holds.
 */
function NumberCell(props: { label: string; value: number; onChange: (value: number) => void }): JSX.Element {
  let cell: HTMLInputElement | undefined;
  const show = (): void => {
    cell!.value = String(+props.value.toFixed(4));
  };
  onMount(() =>
    createEffect(
      on(
        () => props.value,
        () => document.activeElement === cell || show(),
      ),
    ),
  );
  return (
    <input
      ref={(element) => (cell = element)}
      type="number"
      step="0.1"
      aria-label={props.label}
      onInput={(event) => props.onChange(event.currentTarget.valueAsNumber)}
      onBlur={show}
    />
  );
}

/** A number with its name, for what was computed. */
export function Stat(props: {
  label: string;
  value: string;
  tone?: string;
  testid?: string;
  note?: string;
}): JSX.Element {
  return (
    <div class="stat" style={props.tone ? { "--tone": `var(--${props.tone})` } : {}}>
      <span class="label">{props.label}</span>
      <span class="value" data-testid={props.testid}>
        {props.value}
      </span>
      <Show when={props.note}>
        <span class="quiet">{props.note}</span>
      </Show>
    </div>
  );
}

export function Progress(props: { label: string; value: number; max?: number }): JSX.Element {
  return (
    <label class="progress">
      <span>{props.label}</span>
      <progress value={props.value} max={props.max ?? 1} />
    </label>
  );
}
