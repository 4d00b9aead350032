import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { defineConfig, type DefaultTheme } from "vitepress";
import { sections } from "./pages.ts";
import { miniSearch } from "./search.ts";

type Language = "en" | "zh";
const site = join(import.meta.dirname, "..");
const prefix = (language: Language): string => (language === "en" ? "" : "/zh");

type Sidebar = DefaultTheme.SidebarItem[];

/** A generated page's link, under its title. */
function linkTo(language: Language, path: string): DefaultTheme.SidebarItem {
  const title =
    /^# (\S*)/m.exec(readFileSync(join(site, language === "en" ? "." : language, `${path}.md`), "utf8"))?.[1] ?? path;
  const folder = path.replace(/(^|\/)index$/, "$1");
  return { text: title.replaceAll(/[`\\]/g, ""), link: `${prefix(language)}/${folder}` };
}

/** What a folder of the reference holds, by its subfolders where it has them; none before `pnpm docs` has made it. */
function generated(language: Language, folder: string): Sidebar {
  const at = join(site, language === "en" ? "." : language, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md") && entry.name !== "index.md")
    .map((entry) => relative(at, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort((a, b) => (basename(a).toLowerCase() < basename(b).toLowerCase() ? -1 : 1))
    .map((file) => linkTo(language, `${folder}/${file.replace(/\.md$/, "")}`));
}

/** The folders of the reference: families, ops, and one for each entry of a package. */
function referenceFolders(language: Language): string[] {
  const api = join(site, language === "en" ? "." : language, "reference", "api");
  const entries = existsSync(api)
    ? readdirSync(api, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  return ["families", "ops", ...entries.map(({ name }) => `api/${name}`).sort()].map((folder) => `reference/${folder}`);
}

const titles = {
  en: { "reference/families": "Families", "reference/ops": "Ops" },
  zh: { "reference/families": "模型家族", "reference/ops": "算子" },
} as const;
const titleOf = (language: Language, folder: string): string =>
  (titles[language] as Record<string, string>)[folder] ??
  folder
    .replace("reference/api/", "")
    .replace(/^(?!statespace$)/, "@statespace/")
    .replace(/^(@statespace\/core)-/, "$1/")
    .replace(/^(@statespace\/models)-/, "$1/");

/** Pages that are written by hand have one; each folder of the reference has one of its own, or every page would carry a thousand links. */
function sidebars(language: Language): DefaultTheme.SidebarMulti {
  const folders = referenceFolders(language);
  const index = folders.map((folder) => ({ text: titleOf(language, folder), link: `${prefix(language)}/${folder}/` }));
  const reference = language === "en" ? "Reference" : "参考";
  const written: Sidebar = sections.map((section) => ({
    text: section[language],
    items: section.pages.map((page) => ({ text: page[language], link: `${prefix(language)}/${page.path}` })),
  }));
  const own = folders.map((folder): [string, Sidebar] => [
    `${prefix(language)}/${folder}/`,
    [
      { text: titleOf(language, folder), items: generated(language, folder) },
      { text: reference, collapsed: true, items: index },
    ],
  ]);
  return {
    ...Object.fromEntries(own),
    [`${prefix(language)}/`]: [...written, { text: reference, collapsed: true, items: index }],
  };
}

function theme(language: Language): DefaultTheme.Config {
  const en = language === "en";
  return {
    nav: [
      { text: en ? "Tutorials" : "教程", link: `${prefix(language)}/tutorials/first-page` },
      { text: en ? "Guides" : "指南", link: `${prefix(language)}/guides/loading` },
      { text: en ? "Concepts" : "概念", link: `${prefix(language)}/concepts/state-space` },
      { text: en ? "Reference" : "参考", link: `${prefix(language)}/reference/ops/` },
      { text: en ? "Playground" : "演示", link: `/playground/index.html#/?lang=${language}`, target: "_self" },
    ],
    sidebar: sidebars(language),
    outline: { level: [2, 3], label: en ? "On this page" : "本页目录" },
    ...(en
      ? {}
      : {
          docFooter: { prev: "上一页", next: "下一页" },
          darkModeSwitchLabel: "外观",
          sidebarMenuLabel: "目录",
          returnToTopLabel: "回到顶部",
          langMenuLabel: "语言",
        }),
  };
}

/** Chinese words of the search box. */
const searchInChinese: DefaultTheme.LocalSearchOptions["translations"] = {
  button: { buttonText: "搜索", buttonAriaLabel: "搜索" },
  modal: {
    noResultsText: "没有找到",
    resetButtonTitle: "清除",
    displayDetails: "显示细节",
    footer: { selectText: "选择", navigateText: "移动", closeText: "关闭" },
  },
};

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

export default defineConfig({
  title: "statespace",
  description: "State space models for browsers and Node",
  head: [["link", { rel: "icon", href: "data:," }]],
  // Where the site lies on its host.
  base: process.env["DOCS_BASE"] ?? "/",
  cleanUrls: false,
  lastUpdated: false,
  srcExclude: ["README.md"],
  // Who only asks for the search's index, as the tests do, needs no colours in programs: those are most of the time.
  ...(process.env["DOCS_INDEX_ONLY"] === undefined
    ? {}
    : { markdown: { highlight: (code: string) => `<pre>${escaped(code)}</pre>` } }),
  // The playground is put beside the pages when the site is built.
  ignoreDeadLinks: [/^\/playground\//],
  locales: {
    root: { label: "English", lang: "en", themeConfig: theme("en") },
    zh: {
      label: "简体中文",
      lang: "zh-CN",
      description: "在浏览器和 Node 里运行的状态空间模型",
      themeConfig: theme("zh"),
    },
  },
  themeConfig: {
    search: {
      provider: "local",
      options: {
        locales: { zh: { translations: searchInChinese } },
        miniSearch,
      },
    },
  },
});
