import { createEffect, onMount, untrack, type JSX } from "solid-js";
import { Page } from "../../components/Page.tsx";
import { owed } from "../../shell/owed.ts";
import { LearnPanel } from "./LearnPanel.tsx";
import { learner } from "./learner.ts";
import { messages as m } from "./messages.ts";
import { ModelsPanel } from "./ModelsPanel.tsx";
import { source } from "./source.ts";
import "./style.css";
import { TextPanel } from "./TextPanel.tsx";

export function ModelPage(): JSX.Element {
  onMount(() => void owed(learner.recall()));
  // the text of an earlier visit's run, unless there is another one already
  createEffect(() => {
    const job = learner.job();
    if (job !== undefined && untrack(source.text) === "") source.write(job.text);
  });
  return (
    <Page idea={m().idea} text={m().text} hints={m().hints}>
      <TextPanel />
      <LearnPanel />
      <ModelsPanel />
    </Page>
  );
}
