import { maze, mazeActions } from "@statespace/datasets";
import { createMemo, createSignal, For, type JSX } from "solid-js";
import { Button, Stat } from "../../components/controls.tsx";
import { HeatMap } from "../../components/HeatMap.tsx";
import { Panel } from "../../components/Page.tsx";
import { messages as m } from "./messages.ts";

const task = maze({ width: 7, height: 5, mazeSeed: 4 });
const { width, height, next } = task;
const KEYS: Readonly<Record<string, number>> = { ArrowUp: 0, ArrowRight: 1, ArrowDown: 2, ArrowLeft: 3 };

/** Walls are where an action leaves the cell as it is. */
function walls(): string {
  let path = "";
  for (let cell = 0; cell < width * height; cell++) {
    const [x, y] = [30 * (cell % width), 30 * Math.floor(cell / width)];
    const sides = [`M${x} ${y}h30`, `M${x + 30} ${y}v30`, `M${x} ${y + 30}h30`, `M${x} ${y}v30`];
    sides.forEach((side, action) => {
      if (next[4 * cell + action] === cell) path += side;
    });
  }
  return path;
}

/** The exit is the cell that is hardest to reach; steps to it from every cell, walls minded. */
function toExit(): { exit: number; distance: readonly number[] } {
  const from = (start: number): number[] => {
    const distance = Array.from<unknown, number>({ length: width * height }, (_, cell) => (cell === start ? 0 : -1));
    const queue = [start];
    for (const cell of queue)
      for (let action = 0; action < 4; action++) {
        const to = next[4 * cell + action]!;
        if (distance[to]! >= 0) continue;
        distance[to] = distance[cell]! + 1;
        queue.push(to);
      }
    return distance;
  };
  const reach = from(0);
  const exit = reach.indexOf(Math.max(...reach));
  return { exit, distance: from(exit) };
}
const { exit, distance } = toExit();

/** Drive a state with actions: the walk of `datasets.maze`, by hand. */
export function Maze(): JSX.Element {
  const [cell, setCell] = createSignal(0);
  const [steps, setSteps] = createSignal(0);
  const state = createMemo(() => Float64Array.from({ length: width * height }, (_, i) => (i === cell() ? 1 : 0)));
  const act = (action: number): void => {
    setCell(next[4 * cell() + action]!);
    setSteps(steps() + 1);
  };
  return (
    <Panel title={m().mazeTitle} note={m().mazeNote}>
      <div class="split">
        <svg
          viewBox={`-3 -3 ${30 * width + 6} ${30 * height + 6}`}
          role="application"
          aria-label={m().maze(Math.floor(cell() / width) + 1, (cell() % width) + 1)}
          tabIndex={0}
          data-testid="maze"
          style={{ width: "100%", "max-width": "24rem" }}
          onKeyDown={(event) => {
            const action = KEYS[event.key];
            if (action === undefined) return;
            event.preventDefault();
            act(action);
          }}
        >
          <path d={walls()} stroke="var(--ink)" stroke-width="2.5" fill="none" stroke-linecap="round" />
          <rect
            x={30 * (exit % width) + 7}
            y={30 * Math.floor(exit / width) + 7}
            width="16"
            height="16"
            fill="var(--mamba)"
          />
          <circle cx={30 * (cell() % width) + 15} cy={30 * Math.floor(cell() / width) + 15} r="8" fill="var(--s4)" />
        </svg>
        <div class="figure">
          <div class="row">
            <For each={mazeActions}>
              {(_, action) => <Button onClick={() => act(action())}>{m().actions[action()]}</Button>}
            </For>
          </div>
          <Stat
            label={m().mazeState}
            value={`(${(cell() % width) + 1}, ${Math.floor(cell() / width) + 1}, ${distance[cell()]!})`}
            note={cell() === exit ? m().mazeOut : m().mazeStateNote}
            testid="maze-state"
          />
          <figure class="figure">
            <HeatMap label={m().stateVector} rows={1} cols={width * height} values={state()} height="26px" />
            <figcaption>{m().stateVector}</figcaption>
          </figure>
          <Stat label={m().steps} value={String(steps())} testid="maze-steps" />
        </div>
      </div>
    </Panel>
  );
}
