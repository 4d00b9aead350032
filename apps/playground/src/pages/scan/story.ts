import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { algorithm: "sequential", l: "8", round: "3" }, at: "algorithm", answer: 2 },
    { view: { algorithm: "tree", l: "8", round: "1" }, at: "algorithm", answer: 1 },
    { view: { algorithm: "tree", l: "8" }, at: "rounds", answer: 0 },
    { view: { algorithm: "chunked", l: "16" }, at: "costs", answer: 1 },
    { view: {}, at: "measure", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "Each token turns the state 𝑥 into a·𝑥 + b, with an a and a b of its own. The plain way is a <strong>for loop</strong>: state after state.",
        ask: "How many rounds, one after another, take 8 elements?",
        options: ["1", "3", "7"],
        reveal:
          "The first is there already; each of the other seven waits for the one before it. With a million tokens that is a million rounds.",
      },
      {
        say: "Two steps in a row are one step: first a₁, b₁, then a₂, b₂ is a₂a₁, a₂b₁ + b₂. Nobody needs the state for that. Here all neighbours are merged at once.",
        ask: "What property makes it right to merge 3 and 4 before 1 and 2 are known?",
        options: [
          "the order of steps does not matter",
          "the grouping of steps does not matter (associativity)",
          "a is always below one",
        ],
        reveal:
          "(1 ∘ 2) ∘ (3 ∘ 4) = ((1 ∘ 2) ∘ 3) ∘ 4. The order stays, the brackets move. It holds because the recurrence is linear.",
      },
      {
        say: "Up the tree and down again: 8 elements are done in 5 rounds.",
        ask: "How does the number of rounds grow when l doubles?",
        options: ["by two", "it doubles", "it stays"],
        reveal:
          "About 2 log₂ l: one more level up, one more down. This <strong>parallel scan</strong> gives back what was lost with the convolution.",
      },
      {
        say: "Real kernels cut the sequence into chunks: inside of each all work at the same time, and only the ends are carried on.",
        ask: "Why not always the tree?",
        options: ["its results are less exact", "it does almost twice as many merges", "it needs the whole text first"],
        reveal: "With few processors total work counts; with many, rounds do. Chunks are between the two.",
      },
      {
        say: "The last part is about <strong>memory</strong>. The states of all tokens are l × d × n numbers; written out and read back, they cost more time than computing them.",
        ask: "What does the fused kernel do with the states?",
        options: [
          "it stores them in half precision",
          "it leaves out the small ones",
          "it keeps each in registers and writes only y",
        ],
        reveal:
          "And for training it does not keep them either: they are <strong>recomputed</strong> on the way back. More on the page “Where the bytes go”.",
      },
    ],
    [
      {
        say: "每个词元把状态 𝑥 变成 a·𝑥 + b，a 和 b 由它自己定。最直接的做法是 <strong>for 循环</strong>：一个状态接一个状态。",
        ask: "8 个元素要依次走多少轮？",
        options: ["1", "3", "7"],
        reveal: "第一个已经在那里；其余七个各等前一个。一百万个词元就是一百万轮。",
      },
      {
        say: "连续两步合起来还是一步：先 a₁、b₁，再 a₂、b₂，就是 a₂a₁、a₂b₁ + b₂。这不需要知道状态。这里所有相邻的同时合并。",
        ask: "1 和 2 还不知道，就先合并 3 和 4，凭什么是对的？",
        options: ["各步的顺序无所谓", "各步的分组无所谓（结合律）", "a 总小于 1"],
        reveal: "(1 ∘ 2) ∘ (3 ∘ 4) = ((1 ∘ 2) ∘ 3) ∘ 4。顺序不变，括号可移。这成立，因为递推是线性的。",
      },
      {
        say: "上树再下树：8 个元素 5 轮完成。",
        ask: "l 翻倍时，轮数怎样增长？",
        options: ["加二", "翻倍", "不变"],
        reveal: "约 2 log₂ l：上去多一层，下来多一层。这种<strong>并行扫描</strong>补回了失去卷积的损失。",
      },
      {
        say: "真正的内核把序列切成块：块内同时进行，只把块尾往后传。",
        ask: "为什么不总用树？",
        options: ["它的结果不够精确", "它的合并次数几乎多一倍", "它要先有全文"],
        reveal: "处理器少，看总工作量；处理器多，看轮数。分块在两者之间。",
      },
      {
        say: "最后是<strong>内存</strong>。所有词元的状态共 l × d × n 个数；写出去再读回来，比算出它们还费时间。",
        ask: "融合的内核怎样处理这些状态？",
        options: ["用半精度存起来", "丢掉小的", "放在寄存器里，只写出 y"],
        reveal: "训练时也不保存：返回途中<strong>重新计算</strong>。详见“字节去哪儿了”那一页。",
      },
    ],
  ),
};
