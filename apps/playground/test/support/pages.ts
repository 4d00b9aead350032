/** Every page by its name in the address, with its title in both languages. Written out here, so that the app's own catalogue is checked against it. */
export const titles: Readonly<Record<string, { readonly en: string; readonly zh: string }>> = {
  why: { en: "Why", zh: "为什么" },
  "state-space": { en: "State space", zh: "状态空间" },
  discretize: { en: "From continuous to discrete", zh: "从连续到离散" },
  "two-views": { en: "Two views", zh: "两种视角" },
  hippo: { en: "HiPPO: memory", zh: "HiPPO：记忆" },
  s4: { en: "S4 and S4D", zh: "S4 与 S4D" },
  selection: { en: "Selection", zh: "选择" },
  induction: { en: "Ask me later", zh: "以后再问" },
  scan: { en: "The scan", zh: "扫描" },
  bytes: { en: "Where the bytes go", zh: "字节去哪儿了" },
  block: { en: "One token, one block", zh: "一个词元，一个块" },
  mamba: { en: "Mamba at work", zh: "Mamba 实战" },
  machine: { en: "Your machine", zh: "你的机器" },
  ideas: { en: "Ideas", zh: "概念" },
};
