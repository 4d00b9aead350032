import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: {}, at: "parcels", answer: 2 },
    { view: { fused: "on" }, at: "parcels", answer: 0 },
    { view: { fused: "on", training: "on" }, at: "parcels", answer: 1 },
    { view: { fused: "on", training: "on", recompute: "on" }, at: "card-memory", answer: 0 },
    { view: { fused: "on", training: "on", recompute: "on" }, at: "measure", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "Three kernels, one after another: discretize, scan, times C. Each fetches from the large, slow memory (<strong>DRAM</strong>) into the small, fast one (<strong>SRAM</strong>), and stores its result.",
        ask: "Which parcels are the large ones?",
        options: ["the input and the output", "A, B and C", "those of size l × d × n: Ā, B̄ 𝑢 and the states"],
        reveal: "n times as large as the input. None of them is wanted by anybody afterwards.",
      },
      {
        say: "<strong>Kernel fusion</strong>: one kernel does all three. A state is made, used and overwritten where it is.",
        ask: "What became of the arithmetic?",
        options: ["it is the same", "it is halved", "it is doubled"],
        reveal: "Not one operation is saved, only trips. That is enough.",
      },
      {
        say: "Training goes back through all steps, and the gradient needs the states. So the fused kernel stores them after all: one large parcel out, one in.",
        ask: "What else could one do?",
        options: [
          "leave the states out of the gradient",
          "compute them again on the way back",
          "train on shorter texts",
        ],
        reveal: "<strong>Recomputation</strong>: keep a state every 64 tokens, and walk forward once more from there.",
      },
      {
        say: "On a large card, moving the bytes and computing are compared below the picture.",
        ask: "Computing the states twice: is it worth it?",
        options: [
          "yes: arithmetic is cheap, moving is dear",
          "no: twice the work is twice the time",
          "only for short texts",
        ],
        reveal:
          "The card could do dozens of operations in the time that one number takes to arrive. FlashAttention rests on the same fact.",
      },
      {
        say: "Now your own device: its bandwidth is measured, the time predicted, and then taken.",
        ask: "Where may the prediction be too high?",
        options: [
          "for large tensors",
          "never",
          "where the caches are large enough to keep a tensor between two kernels",
        ],
        reveal: "Then the processor fuses by luck. Make l and d larger, and it will no longer.",
      },
    ],
    [
      {
        say: "三个内核依次运行：离散化、扫描、乘以 C。每个都从又大又慢的内存（<strong>DRAM</strong>）取到又小又快的（<strong>SRAM</strong>），再存回结果。",
        ask: "哪些包裹是大的？",
        options: ["输入和输出", "A、B 和 C", "大小为 l × d × n 的：Ā、B̄ 𝑢 和状态"],
        reveal: "是输入的 n 倍。而且事后谁也不需要它们。",
      },
      {
        say: "<strong>核融合</strong>：一个内核做完三件事。状态在原地产生、使用、被覆盖。",
        ask: "算术量变成怎样？",
        options: ["不变", "减半", "加倍"],
        reveal: "一次运算也没有省，省的只是来回的路。这就够了。",
      },
      {
        say: "训练要沿各步返回，求梯度需要状态。于是融合的内核还是把它们存了：一个大包裹出去，一个回来。",
        ask: "还能怎么办？",
        options: ["求梯度时不用状态", "返回途中重新计算它们", "用短一点的文字训练"],
        reveal: "<strong>重计算</strong>：每 64 个词元保留一个状态，从那里再往前走一遍。",
      },
      {
        say: "图的下方比较了在一块大显卡上搬运字节与计算的时间。",
        ask: "把状态算两遍，值得吗？",
        options: ["值得：算术便宜，搬运贵", "不值：两倍的活就是两倍的时间", "只对短文字值得"],
        reveal: "一个数到达的时间里，显卡能做几十次运算。FlashAttention 依靠的是同一件事。",
      },
      {
        say: "现在看你自己的设备：测出带宽，预测时间，再实测。",
        ask: "预测在哪里可能偏高？",
        options: ["对大的张量", "从不", "缓存大到能在两个内核之间留住一个张量的时候"],
        reveal: "那时处理器碰巧做到了融合。把 l 和 d 加大，它就做不到了。",
      },
    ],
  ),
};
