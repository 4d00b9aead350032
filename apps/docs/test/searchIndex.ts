import MiniSearch from "minisearch";
import { createServer } from "vitepress";
import { miniSearch } from "../.vitepress/search.ts";
import { site } from "./blocks.ts";

/** The search of the site in a language: its own index, made by its own plugin, asked as its own box asks; pages such as `/tutorials/chat.html`. */
export type Search = (words: string) => string[];

/** Builds the index of the pages that are there, in each language, without building the site. */
export async function siteSearch(): Promise<Readonly<Record<"root" | "zh", Search>>> {
  process.env["DOCS_INDEX_ONLY"] = "1";
  const server = await createServer(site, { logLevel: "silent" } as never);
  try {
    const load = async (locale: string): Promise<string> => {
      const made = (await server.pluginContainer.load(`/@localSearchIndex${locale}`)) as string | { code: string };
      const text = typeof made === "string" ? made : made.code;
      return JSON.parse(text.replace(/^export default /, "")) as string;
    };
    // The dev server makes the index when it is first asked for.
    await server.pluginContainer.load("/@localSearchIndex");
    const open = async (locale: string): Promise<Search> => {
      const index = MiniSearch.loadJSON(await load(locale), {
        fields: ["title", "titles", "text"],
        storeFields: ["title", "titles"],
        // The box has three settings of its own, each of which ours replace.
        searchOptions: miniSearch.searchOptions,
        ...miniSearch.options,
      });
      return (words) => [
        ...new Set(
          index
            .search(words)
            .slice(0, 16) // as many as the box shows
            .map(({ id }) => String(id).replace(/#.*/, "")),
        ),
      ];
    };
    return { root: await open("root"), zh: await open("zh") };
  } finally {
    await server.close();
  }
}
