import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { zoom: "model", t: "4" }, at: "tower", answer: 1 },
    { view: { zoom: "block", t: "4" }, at: "wires", answer: 2 },
    { view: { zoom: "block", t: "4" }, at: "wires", answer: 0 },
    { view: { zoom: "channel", t: "4" }, at: "channel", answer: 1 },
    { view: { zoom: "state", t: "6" }, at: "course", answer: 0 },
  ],
  words: defineMessages(
    [
      {
        say: "Mamba blocks are <strong>stacked</strong>. A stream of 256 numbers a token runs past all of them; each block reads it through a norm and <strong>adds</strong> what it found: the residual connection.",
        ask: "What would the model compute if one block added nothing?",
        options: ["nothing at all", "what the others compute from the stream as it is", "random words"],
        reveal: "The stream goes on unchanged past that block. That is why many of them can be stacked, and trained.",
      },
      {
        say: "Inside of a block: a <strong>projection</strong> makes two halves. One goes through a short convolution, SiLU and the <strong>selective SSM</strong>; the other is the <strong>gate</strong>.",
        ask: "What is the short convolution for?",
        options: [
          "it replaces the SSM for long texts",
          "it makes training parallel",
          "each token sees the three before it, before it chooses Δ, B and C",
        ],
        reveal:
          "A token’s neighbours help to decide what it is worth. Without it, each token would choose by itself alone.",
      },
      {
        say: "The output y of the SSM is multiplied by SiLU(z), and projected back to the stream’s width. z comes from the same token.",
        ask: "What can the gate do that the SSM cannot?",
        options: [
          "shut a channel off for this token, whatever its state holds",
          "see later tokens",
          "make the state larger",
        ],
        reveal: "The state keeps what it has; the gate decides whether it speaks now.",
      },
      {
        say: "One channel’s SSM: 16 numbers. For each: Ā = exp(Δ A), new = Ā · before + Δ B 𝑢, and y = Σ C · new + D 𝑢. Δ is one number for the channel; B and C are shared by all channels.",
        ask: "Which numbers in this table would be the same for another token?",
        options: ["Δ and Ā", "only A and D, from which they are made", "B and C"],
        reveal: "All else is chosen by the token, or carried from those before. This is the whole of Mamba’s memory.",
      },
      {
        say: "One number, through the sentence. Walk along: where Ā is near 1 it is kept, where Ā is near 0 it is overwritten.",
        ask: "What must be kept after the last token to go on writing?",
        options: [
          "such numbers for each channel of each block, and the last three inputs of the convolution",
          "all tokens",
          "the attention map",
        ],
        reveal: "That is the state: of fixed size, whatever was read.",
      },
    ],
    [
      {
        say: "Mamba 块是<strong>堆叠</strong>的。每个词元有一条 80 个数的流经过所有的块；每个块经过归一化来读它，再把找到的<strong>加</strong>上去：这就是残差连接。",
        ask: "如果有一个块什么都没加，模型会算出什么？",
        options: ["什么也没有", "其他块从原样的流算出的结果", "随机的词"],
        reveal: "流原样经过那个块。所以才能堆叠很多块，并训练它们。",
      },
      {
        say: "块的内部：一个<strong>投影</strong>分成两半。一半经过短卷积、SiLU 和<strong>选择性 SSM</strong>；另一半是<strong>门</strong>。",
        ask: "短卷积是做什么的？",
        options: ["长文字时代替 SSM", "让训练可以并行", "每个词元先看到前三个，再选择 Δ、B 和 C"],
        reveal: "邻近的词元帮助判断它有多重要。没有它，每个词元只能独自选择。",
      },
      {
        say: "SSM 的输出 y 乘以 SiLU(z)，再投影回流的宽度。z 来自同一个词元。",
        ask: "门能做到哪件 SSM 做不到的事？",
        options: ["不管状态里有什么，对这个词元关掉一个通道", "看到后面的词元", "让状态变大"],
        reveal: "状态保留已有的东西；门决定它现在是否说话。",
      },
      {
        say: "一个通道的 SSM：16 个数。每个都是：Ā = exp(Δ A)，新值 = Ā · 旧值 + Δ B 𝑢，y = Σ C · 新值 + D 𝑢。每个通道一个 Δ；B 和 C 由所有通道共用。",
        ask: "换一个词元，这张表里哪些数不变？",
        options: ["Δ 和 Ā", "只有用来造出它们的 A 和 D", "B 和 C"],
        reveal: "其余的都由词元选择，或从前面带来。这就是 Mamba 全部的记忆。",
      },
      {
        say: "一个数，走过整个句子。一路看去：Ā 接近 1 的地方它被保留，接近 0 的地方它被覆盖。",
        ask: "要在最后一个词元之后接着写，必须留下什么？",
        options: ["每个块每个通道的这些数，以及卷积最近的三个输入", "所有的词元", "注意力图"],
        reveal: "这就是状态：无论读过什么，大小固定。",
      },
    ],
  ),
};
