import { createSignal, onCleanup, type JSX } from "solid-js";
import { Button, Choice } from "../components/controls.tsx";
import { choice } from "../shell/codecs.ts";
import { useParam } from "../shell/route.ts";
import { shell } from "../shell/shellMessages.ts";
import { notebook, type Snippet } from "./snippet.ts";

const LANGUAGES = ["js", "numpy"] as const;

/** The lines that compute the figure above, with the visitor's numbers: to read, to copy, to take along. */
export function CodeBeside(props: { of: Snippet }): JSX.Element {
  const [written, setWritten] = useParam<(typeof LANGUAGES)[number]>("code", "js", choice(...LANGUAGES));
  const [copied, setCopied] = createSignal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const shown = (): string => (written() === "js" ? props.of.mjs : props.of.numpy);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(shown());
    setCopied(true);
    clearTimeout(timer);
    timer = setTimeout(() => setCopied(false), 2000);
  }
  const save = (ending: string, content: string): void => {
    const url = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${props.of.name}.${ending}`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <details class="panel code-beside" data-testid="code">
      <summary>{shell().code.title}</summary>
      <Choice
        label={shell().code.language}
        value={written()}
        onChange={setWritten}
        testid="code-language"
        options={[
          { value: "js", label: "JavaScript" },
          { value: "numpy", label: "numpy" },
        ]}
      />
      <pre tabIndex={0} aria-label={shell().code.title} data-testid="code-text">
        <code lang="en">{shown()}</code>
      </pre>
      <div class="row">
        <Button onClick={() => void copy()} testid="code-copy">
          {copied() ? shell().code.copied : shell().code.copy}
        </Button>
        <Button onClick={() => save("mjs", props.of.mjs)} testid="code-mjs">
          {shell().code.script}
        </Button>
        <Button onClick={() => save("ipynb", notebook(props.of))} testid="code-ipynb">
          {shell().code.notebook}
        </Button>
      </div>
    </details>
  );
}
