import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { written: "5" }, at: "attention-map", answer: 2 },
    { view: { written: "10" }, at: "attention-map", answer: 1 },
    { view: {}, at: "recurrent-row", answer: 0 },
    { view: {}, at: "costs", answer: 1 },
  ],
  words: defineMessages(
    [
      {
        say: "A <strong>Transformer</strong> compares each token with every token before it. The weights of these comparisons are the <strong>attention map</strong>: one row a token that looks, one column a token that is looked at. All rows can be computed at the same time, so training is quick to spread over a graphics card.",
        ask: "The text gets twice as long. How many times as many squares has the full map then, about?",
        options: ["as many", "2 times", "4 times"],
        reveal:
          "Twice the rows, and each row twice as long: the work grows with l². Below the diagonal it is l (l + 1) / 2, which does the same.",
      },
      {
        say: "When the model <strong>writes</strong>, only the last row is new, but it is one square longer each time, and for it the keys and values of all earlier tokens must have been kept and must be read again.",
        ask: "So the next token, in a text of 10,000, costs attention …",
        options: ["the same as the tenth", "about 1,000 times as much as the tenth", "nothing, it is cached"],
        reveal:
          "The row has 10,000 squares in place of 10. The cache saves computing keys and values anew; reading them is what remains, and it grows.",
      },
      {
        say: "A <strong>recurrent network</strong> (RNN) keeps one state of fixed size. The next state needs two things: the state before and the new token. Writing is cheap at any length.",
        ask: "Why is training an RNN slow?",
        options: [
          "each state waits for the one before it",
          "its state is too large",
          "it must compare all pairs of tokens",
        ],
        reveal:
          "Between two states stands a nonlinear function, so no step can begin before the last has ended: l steps one after another, on hardware that could do thousands at once. Gradients go back the same long way.",
      },
      {
        say: "So a Transformer trains fast and writes slowly, an RNN trains slowly and writes fast. The curves are measured on your machine: training on the left, one more token on the right.",
        ask: "What would the best of both need?",
        options: [
          "a larger cache",
          "a state of fixed size whose steps can be merged, so that training need not walk",
          "attention to a few tokens only",
        ],
        reveal:
          "That is a state space model: its recurrence is <em>linear</em>, and linear steps can be merged in any grouping. The next eight pages build it.",
      },
    ],
    [
      {
        say: "<strong>Transformer</strong> 把每个词元与它之前的每个词元作比较。这些比较的权重就是<strong>注意力图</strong>：一行是一个在看的词元，一列是一个被看的词元。所有的行可以同时算出，所以训练很容易铺满显卡。",
        ask: "文字长度翻倍，整张图的方格大约变成几倍？",
        options: ["一样多", "2 倍", "4 倍"],
        reveal: "行数翻倍，每行又长一倍：计算量随 l² 增长。对角线以下是 l (l + 1) / 2 个，增长方式相同。",
      },
      {
        say: "模型<strong>写作</strong>时只有最后一行是新的，但它每次都长一格；为了这一行，先前所有词元的键和值都得留着，还要再读一遍。",
        ask: "那么在一万个词元之后再写一个，注意力的代价……",
        options: ["与第十个相同", "大约是第十个的 1,000 倍", "没有代价，都缓存好了"],
        reveal: "这一行有 10,000 格，而不是 10 格。缓存省去了重新计算键和值；读取它们的代价还在，而且一直增长。",
      },
      {
        say: "<strong>循环神经网络</strong>（RNN）只保留一个固定大小的状态。下一个状态只要两样东西：前一个状态和新的词元。无论多长，写作都便宜。",
        ask: "为什么训练 RNN 很慢？",
        options: ["每个状态都要等前一个状态", "它的状态太大", "它要比较所有的词元对"],
        reveal:
          "相邻状态之间隔着一个非线性函数，上一步没结束，下一步就不能开始：l 步只能依次走，而硬件本可以同时做几千步。梯度也要沿同一条长路返回。",
      },
      {
        say: "所以 Transformer 训练快、写作慢，RNN 训练慢、写作快。曲线是在你的机器上实测的：左边是训练，右边是再写一个词元。",
        ask: "要两全其美，需要什么？",
        options: ["更大的缓存", "固定大小的状态，而且各步可以合并，训练就不必一步步走", "只注意少数词元"],
        reveal: "这就是状态空间模型：它的递推是<em>线性</em>的，线性的步骤可以按任意分组合并。接下来的八页把它搭起来。",
      },
    ],
  ),
};
