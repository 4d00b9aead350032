import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { pairs: "2", n: "8" }, at: "state-right", answer: 0 },
    { view: { pairs: "24", n: "8" }, at: "state-right", answer: 1 },
    { view: { attention: "2" }, at: "stack", answer: 2 },
    { view: { attention: "2", l: "131072" }, at: "cache", answer: 1 },
  ],
  words: defineMessages(
    [
      {
        say: "A state can hold pairs: each is written as an outer product of value and key, and all are added up. Two pairs, keys of 8 numbers.",
        ask: "Why can they be read apart, though they lie in one sum?",
        options: [
          "keys in different directions hardly disturb each other",
          "each has a place of its own",
          "the later overwrites the earlier",
        ],
        reveal: "Reading with a key gives its value, and a little of the others’, as much as the keys are alike.",
      },
      {
        say: "Now 24 pairs in the same state.",
        ask: "What happens?",
        options: [
          "nothing, states are unlimited",
          "the little of the others adds up, and answers go wrong",
          "only the last pairs are right",
        ],
        reveal:
          "There are no 24 different directions in 8 dimensions. Attention keeps the pairs themselves, and stays right.",
      },
      {
        say: "A <strong>hybrid</strong>: 2 of 16 layers are attention, the others Mamba.",
        ask: "What do the few layers of attention add?",
        options: ["speed", "a larger state", "exact lookup of what the state has let go"],
        reveal:
          "The Mamba layers carry the sense along, attention fetches the quotation. A few layers are enough in practice.",
      },
      {
        say: "At 131,072 tokens, see what must be kept.",
        ask: "What is the price of the hybrid, beside a pure Mamba?",
        options: [
          "training takes twice as long",
          "a cache that grows with the text, though a smaller one",
          "it can no longer be trained in parallel",
        ],
        reveal:
          "An eighth of the full cache here. By its makers, Jamba (52 billion weights) takes texts of 140,000 tokens on one card of 80 GB.",
      },
    ],
    [
      {
        say: "状态能装下键值对：每对写成值与键的外积，全部加在一起。两对，键有 8 个数。",
        ask: "它们在同一个和里，为什么还能分开读？",
        options: ["方向不同的键几乎互不干扰", "每对有自己的位置", "后面的覆盖前面的"],
        reveal: "用一个键去读，得到它的值，加上一点别的；键越相像，混进来的越多。",
      },
      {
        say: "现在同一个状态里有 24 对。",
        ask: "会怎样？",
        options: ["没事，状态没有上限", "别的那一点加起来，答案就错了", "只有最后几对是对的"],
        reveal: "8 维里没有 24 个不同的方向。注意力保留每一对本身，所以一直对。",
      },
      {
        say: "<strong>混合模型</strong>：16 层中 2 层是注意力，其余是 Mamba。",
        ask: "这几层注意力带来了什么？",
        options: ["速度", "更大的状态", "精确查找状态放走的东西"],
        reveal: "Mamba 层带着文意前行，注意力去取原话。实践中几层就够。",
      },
      {
        say: "在 131,072 个词元处，看看要保留什么。",
        ask: "与纯 Mamba 相比，混合模型的代价是什么？",
        options: ["训练慢一倍", "随文字增长的缓存，只是小一些", "不能再并行训练"],
        reveal: "这里是完整缓存的八分之一。据其作者，Jamba（520 亿权重）在一块 80 GB 的卡上能读 140,000 个词元的文字。",
      },
    ],
  ),
};
