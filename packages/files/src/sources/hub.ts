import { ArgumentError } from "@statespace/core";

/** Where a name without a host is looked up, and which state of it. */
export interface HubOptions {
  /** Branch, tag or commit. Default `main`. */
  readonly revision?: string;
  /** Address of the hub, for mirrors. Default `https://huggingface.co`. */
  readonly hub?: string;
}

const HUB = "https://huggingface.co";
const NAME = /^(?:hf:)?((?:datasets\/)?[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)$/;

/** Whether a text is a name such as `state-spaces/mamba-130m-hf`, `datasets/owner/name` or, with a sign that it is no folder, `hf:owner/name`. */
export function isHubName(text: string): boolean {
  return NAME.test(text);
}

/** The address of the files behind a hub name. Errors: {@link ArgumentError} if it is no name. */
export function hubAddress(name: string, { revision = "main", hub = HUB }: HubOptions = {}): string {
  const found = NAME.exec(name)?.[1];
  if (found === undefined)
    throw new ArgumentError(`openSource: hub name must be owner/name, got ${JSON.stringify(name)}`);
  return `${hub.replace(/\/+$/, "")}/${found}/resolve/${encodeURIComponent(revision)}/`;
}

/**
 * The address of the files themselves where a URL is that of the hub's page about them (`/owner/name`, `/tree/...`, `/blob/...`), as copied from an address
 * bar; any other URL unchanged.
 */
export function fileAddress(from: string | URL, options: HubOptions = {}): URL {
  const url = new URL(from);
  const hub = new URL(options.hub ?? HUB);
  if (url.host !== hub.host) return url;
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const nameLength = parts[0] === "datasets" ? 3 : 2;
  const [kind, revision = options.revision ?? "main", ...rest] = parts.slice(nameLength);
  if (parts.length < nameLength || (kind !== undefined && !["tree", "blob", "resolve"].includes(kind))) return url;
  const name = parts.slice(0, nameLength).join("/");
  const folder = kind !== "blob" && !(kind === "resolve" && !url.pathname.endsWith("/"));
  url.pathname = `/${[name, "resolve", revision, ...rest].join("/")}${folder || rest.length === 0 ? "/" : ""}`;
  return url;
}
