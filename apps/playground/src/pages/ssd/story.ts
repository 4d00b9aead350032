import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { keep: "0.5" }, at: "grid-mask", answer: 1 },
    { view: { keep: "1" }, at: "grid-product", answer: 0 },
    { view: { keep: "0.5", chunk: "3" }, at: "outputs", answer: 2 },
    { view: { keep: "0.5", chunk: "3" }, at: "outputs", answer: 1 },
  ],
  words: defineMessages(
    [
      {
        say: "Mamba-2 gives a head one fading number a<sub>t</sub> a token. What token 1 wrote has faded by a₂ a₃ … a<sub>t</sub> when token t reads it. All these products are the <strong>mask</strong> L.",
        ask: "What stands on the diagonal of L?",
        options: ["a of the token", "1: a token’s own writing has not faded yet", "0"],
        reveal: "And above it nothing: no token reads a later one.",
      },
      {
        say: "Now nothing fades: L is all ones. M = C Bᵀ below the diagonal.",
        ask: "In attention’s words, what are C, B and 𝑢?",
        options: ["queries, keys and values", "keys, values and queries", "layers, heads and tokens"],
        reveal: "Only the softmax is missing: this is linear attention. The fading mask is what Mamba-2 adds to it.",
      },
      {
        say: "Three ways to one output: the whole matrix, the recurrence, and chunks.",
        ask: "Which one would you take to <em>write</em> token after token?",
        options: ["the matrix", "chunks", "the recurrence: a state of fixed size"],
        reveal: "The same weights serve all three. Train in chunks, write by recurrence.",
      },
      {
        say: "In chunks: the small squares along the diagonal of M are computed as matrices; all that lies left of them passes through one state.",
        ask: "What is the gain over Mamba’s scan?",
        options: [
          "fewer multiplications",
          "matrix products, which cards do fastest, and so larger states",
          "a longer memory by itself",
        ],
        reveal: "About as much arithmetic, in less time. See the curve: still linear in the length.",
      },
    ],
    [
      {
        say: "Mamba-2 让一个头的每个词元只有一个衰减数 a<sub>t</sub>。词元 t 读取时，词元 1 写下的东西已衰减为 a₂ a₃ … a<sub>t</sub> 倍。所有这些乘积就是<strong>掩码</strong> L。",
        ask: "L 的对角线上是什么？",
        options: ["该词元的 a", "1：词元自己写的还没有衰减", "0"],
        reveal: "对角线以上什么也没有：没有词元能读后面的。",
      },
      {
        say: "现在什么都不衰减：L 全是 1。对角线以下 M = C Bᵀ。",
        ask: "用注意力的话说，C、B 和 𝑢 是什么？",
        options: ["查询、键和值", "键、值和查询", "层、头和词元"],
        reveal: "只差 softmax：这就是线性注意力。Mamba-2 给它加上了会衰减的掩码。",
      },
      {
        say: "通往同一输出的三条路：整个矩阵、递推、分块。",
        ask: "要一个接一个地<em>写</em>词元，你会用哪一种？",
        options: ["矩阵", "分块", "递推：固定大小的状态"],
        reveal: "同样的权重，三种都能用。训练用分块，写作用递推。",
      },
      {
        say: "分块：M 对角线上的小方块按矩阵计算；它们左边的一切都通过一个状态传递。",
        ask: "比 Mamba 的扫描好在哪里？",
        options: ["乘法更少", "是矩阵乘法，显卡做得最快，所以状态可以更大", "记忆自动变长"],
        reveal: "算得差不多，用时更少。看曲线：仍随长度线性增长。",
      },
    ],
  ),
};
