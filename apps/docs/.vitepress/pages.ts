/** The pages that are written by hand, in reading order. Sidebar, translations and tests follow from this list. */
export interface DocPage {
  /** Path without language and extension. */
  readonly path: string;
  readonly en: string;
  readonly zh: string;
}

export interface DocSection {
  readonly en: string;
  readonly zh: string;
  readonly pages: readonly DocPage[];
}

export const sections: readonly DocSection[] = [
  {
    en: "Tutorials",
    zh: "教程",
    pages: [
      { path: "tutorials/first-page", en: "A model in a page", zh: "把模型放进网页" },
      { path: "tutorials/chat", en: "Chat with a model", zh: "与模型对话" },
      { path: "tutorials/serve", en: "Serve a model", zh: "提供服务" },
      { path: "tutorials/train", en: "Train on your text", zh: "用自己的文本训练" },
      { path: "tutorials/fine-tune", en: "Fine-tune a checkpoint", zh: "微调检查点" },
      { path: "tutorials/series", en: "Classify and forecast", zh: "分类与预测" },
      { path: "tutorials/sound", en: "Speech without its noise", zh: "去掉语音里的噪声" },
      { path: "tutorials/look-inside", en: "Look inside", zh: "看看里面" },
      { path: "tutorials/first-scan", en: "One scan and its gradient", zh: "一次扫描和它的梯度" },
    ],
  },
  {
    en: "Guides",
    zh: "指南",
    pages: [
      { path: "guides/loading", en: "Checkpoints: where from, how kept", zh: "检查点：来源与缓存" },
      { path: "guides/backends", en: "Backends", zh: "后端" },
      { path: "guides/threads", en: "Workers, threads, CSP", zh: "Worker、线程与 CSP" },
      { path: "guides/bundlers", en: "Bundlers and runtimes", zh: "打包工具与运行环境" },
      { path: "guides/memory", en: "Memory", zh: "内存" },
      { path: "guides/precision", en: "Precision and determinism", zh: "精度与确定性" },
      { path: "guides/state", en: "State that is kept", zh: "保存状态" },
      { path: "guides/writing", en: "How a text goes on", zh: "文本怎样往下写" },
      { path: "guides/serving", en: "A server", zh: "服务器" },
      { path: "guides/batches", en: "Several texts at once", zh: "一次处理多段文本" },
      { path: "guides/own-loop", en: "A training loop of your own", zh: "自己写训练循环" },
      { path: "guides/from-pytorch", en: "Coming from PyTorch", zh: "从 PyTorch 迁移" },
      { path: "guides/from-transformers-js", en: "Coming from transformers.js", zh: "从 transformers.js 迁移" },
      { path: "guides/from-tfjs", en: "Beside TensorFlow.js", zh: "与 TensorFlow.js 一起用" },
      { path: "guides/other-engines", en: "In and out of other engines", zh: "与其他引擎互通" },
      { path: "guides/llama-cpp", en: "llama.cpp", zh: "llama.cpp" },
      { path: "guides/wllama", en: "wllama", zh: "wllama" },
      { path: "guides/onnxruntime", en: "onnxruntime", zh: "onnxruntime" },
      { path: "guides/transformers-js", en: "transformers.js", zh: "transformers.js" },
      { path: "guides/transformers", en: "transformers (PyTorch)", zh: "transformers（PyTorch）" },
      { path: "guides/peft", en: "PEFT", zh: "PEFT" },
      { path: "guides/mamba-ssm", en: "mamba_ssm", zh: "mamba_ssm" },
      { path: "guides/questions", en: "Questions", zh: "常见问题" },
    ],
  },
  {
    en: "Concepts",
    zh: "概念",
    pages: [
      { path: "concepts/state-space", en: "State space models", zh: "状态空间模型" },
      { path: "concepts/discretization", en: "Discretization", zh: "离散化" },
      { path: "concepts/views", en: "Recurrence and convolution", zh: "递推与卷积" },
      { path: "concepts/hippo", en: "HiPPO and S4", zh: "HiPPO 与 S4" },
      { path: "concepts/selection", en: "Selection: Mamba", zh: "选择：Mamba" },
      { path: "concepts/scans", en: "Scans on parallel machines", zh: "并行机器上的扫描" },
      { path: "concepts/hybrids", en: "Mamba-2, the delta rule, hybrids", zh: "Mamba-2、delta 规则与混合模型" },
    ],
  },
];

/** All of them. */
export const pages: readonly DocPage[] = sections.flatMap((section) => section.pages);
