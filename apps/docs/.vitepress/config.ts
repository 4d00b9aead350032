import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type DefaultTheme } from "vitepress";
import { sections } from "./pages.ts";
import { cjkTokens } from "./search.ts";

type Language = "en" | "zh";
const site = join(import.meta.dirname, "..");
const prefix = (language: Language): string => (language === "en" ? "" : "/zh");

/** Titles of the generated pages of a folder; none before `pnpm docs` has made them. */
function generated(folder: string): DefaultTheme.SidebarItem[] {
  const at = join(site, "reference", folder);
  if (!existsSync(at)) return [];
  const files = readdirSync(at).filter((file) => file.endsWith(".md") && file !== "index.md");
  return files.sort().map((file) => ({
    text: /^# (.*)$/m.exec(readFileSync(join(at, file), "utf8"))?.[1]?.replaceAll("`", "") ?? file,
    link: `/reference/${folder}/${file.replace(/\.md$/, "")}`,
  }));
}

function sidebar(language: Language): DefaultTheme.SidebarItem[] {
  const names = language === "en" ? ["Families", "Ops", "API"] : ["模型家族", "算子", "API（英文）"];
  const reference = ["families", "ops", "api"].map((folder, i) => ({
    text: names[i]!,
    collapsed: true,
    items: generated(folder),
  }));
  return [
    ...sections.map((section) => ({
      text: section[language],
      items: section.pages.map((page) => ({ text: page[language], link: `${prefix(language)}/${page.path}` })),
    })),
    { text: language === "en" ? "Reference" : "参考", items: reference },
  ];
}

function theme(language: Language): DefaultTheme.Config {
  const en = language === "en";
  return {
    nav: [
      { text: en ? "Tutorials" : "教程", link: `${prefix(language)}/tutorials/first-page` },
      { text: en ? "Guides" : "指南", link: `${prefix(language)}/guides/loading` },
      { text: en ? "Concepts" : "概念", link: `${prefix(language)}/concepts/state-space` },
      { text: en ? "Reference" : "参考", link: "/reference/ops/" },
      { text: en ? "Playground" : "演示", link: `/playground/index.html#/?lang=${language}`, target: "_self" },
    ],
    sidebar: sidebar(language),
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

export default defineConfig({
  title: "statespace",
  description: "State space models for browsers and Node",
  head: [["link", { rel: "icon", href: "data:," }]],
  // Where the site lies on its host.
  base: process.env["DOCS_BASE"] ?? "/",
  cleanUrls: false,
  lastUpdated: false,
  srcExclude: ["README.md"],
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
        miniSearch: {
          options: { tokenize: cjkTokens },
          searchOptions: { fuzzy: 0.2, prefix: true, boost: { title: 4 } },
        },
      },
    },
  },
});
