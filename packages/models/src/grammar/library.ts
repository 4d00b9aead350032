import { BackendError } from "@statespace/core";
import { isNode } from "@statespace/files";

/** What `@mlc-ai/web-xgrammar` exports. */
export type Library = typeof import("@mlc-ai/web-xgrammar");

let loaded: Promise<Library> | undefined;

/** The library, ready. @throws BackendError where it is not installed. */
export function loadLibrary(): Promise<Library> {
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

/**
 * The package is one script for pages. In Node, where it comes as a module, it looks for `require` unless there is a `location`, and leaves
 * what it exports on the global object instead.
 */
async function load(): Promise<Library> {
  const holder = globalThis as { location?: unknown; xgrammar?: Library };
  const alone = isNode() && holder.location === undefined;
  if (alone)
    Object.defineProperty(holder, "location", { value: { href: import.meta.url }, configurable: true, writable: true });
  try {
    const module = (await import("@mlc-ai/web-xgrammar")) as Library & { default?: Library };
    const found = [module, module.default, holder.xgrammar].find((own) => own?.GrammarCompiler !== undefined);
    if (found === undefined) throw new Error("it exports no GrammarCompiler");
    // Its binary starts with the first call, and looks again.
    (await found.Grammar.builtinJSONGrammar()).dispose();
    return found;
  } catch (cause) {
    const message = "compileGrammar: needs the package @mlc-ai/web-xgrammar; install it beside this one";
    throw new BackendError(message, { cause });
  } finally {
    if (alone) delete holder.location;
  }
}
