import { defineMessages } from "../../shell/language.ts";

export const messages = defineMessages(
  {
    idea: "Mamba-2 makes one change, A becomes a single number a head, and finds that the same layer is a kind of attention. Both ways of computing it give the same numbers.",
    text: [
      "In Mamba each number of the state fades at a pace of its own. In <strong>Mamba-2</strong> all numbers of a head fade alike, by one number a<sub>t</sub> that the token chooses. Then the whole sequence can be written as a matrix: y = M 𝑢, where M is C Bᵀ (every token’s C with every earlier token’s B, like queries and keys) times a mask L of fading a’s. That is attention without softmax, with a mask that forgets: <strong>state space duality</strong> (SSD).",
      "Why care? Graphics cards multiply matrices far faster than they do anything else. So Mamba-2 cuts the text into <strong>chunks</strong>: inside of a chunk the matrix, between chunks the recurrence. With that, states can be much larger (64 to 256 numbers in place of 16), and training is faster.",
    ],
    figure: "One layer, two readings",
    figureNote:
      "A row is a token that reads, a column one that is read. Left {scores|C Bᵀ}, then {mask|the mask L}, then {product|their product M}. M times the input is the output; {outputs|the recurrence} below gives the same.",
    length: "Tokens l",
    states: "States n",
    keep: "A token keeps at least",
    chunk: "Chunk",
    seed: "Other numbers",
    scores: "C Bᵀ: who fits whom",
    mask: "L: what is left after fading",
    product: "M = L ∘ C Bᵀ",
    framed:
      "Framed: both tokens lie in one chunk, so the number is computed as it stands here. All others are never computed: what they would add comes through the state that a chunk hands to the next.",
    outputs: "The output, three ways",
    rows: ["M times 𝑢 (attention’s way)", "recurrence (RNN’s way)", "in chunks (Mamba-2’s way)"],
    difference: "Largest difference",
    costs: "Multiplications, for a text of any length",
    costsNote: (n: number, p: number): string =>
      `One head with ${n} states and ${p} channels. Recurrence and chunks cost about the same, and grow with l; but chunks are matrix products, which a card’s matrix units do many times faster. The whole matrix grows with l².`,
    textLength: "Tokens",
    ways: { recurrence: "recurrence", matrix: "one matrix", chunks: "chunks of 64" },
    count: "multiplications",
    hints: [
      "Set “keeps at least” to 1: nothing fades, L is all ones, and M is linear attention.",
      "Set it to 0: far tokens fade out of M, which becomes a band along the diagonal.",
      "Change the chunk: the three rows stay equal. Only the grouping changes, as on the page of the scan.",
    ],
  },
  {
    idea: "Mamba-2 只作一个改变：每个头的 A 变成一个数；于是发现，同一个层也是一种注意力。两种算法给出相同的数。",
    text: [
      "在 Mamba 里，状态的每个数按自己的快慢衰减。在 <strong>Mamba-2</strong> 里，一个头的所有数衰减得一样，由词元选择的一个数 a<sub>t</sub> 决定。于是整个序列可以写成一个矩阵：y = M 𝑢，其中 M 是 C Bᵀ（每个词元的 C 与每个先前词元的 B，就像查询与键）乘以由 a 衰减而成的掩码 L。这就是没有 softmax、掩码会遗忘的注意力：<strong>状态空间对偶</strong>（SSD）。",
      "这有什么用？显卡做矩阵乘法远比做别的快。所以 Mamba-2 把文字切成<strong>块</strong>：块内用矩阵，块间用递推。这样状态可以大得多（64 到 256 个数，而不是 16 个），训练也更快。",
    ],
    figure: "一个层，两种读法",
    figureNote:
      "行是在读的词元，列是被读的词元。左边是{scores|C Bᵀ}，然后是{mask|掩码 L}，然后是{product|它们的乘积 M}。M 乘以输入就是输出；下面的{outputs|递推}给出同样的结果。",
    length: "词元数 l",
    states: "状态数 n",
    keep: "一个词元至少保留",
    chunk: "块长",
    seed: "换一组数",
    scores: "C Bᵀ：谁与谁相配",
    mask: "L：衰减后还剩多少",
    product: "M = L ∘ C Bᵀ",
    framed:
      "带框的格：两个词元在同一块里，照这里的样子直接算出。其余的格从不计算：它们的贡献由一块交给下一块的状态带来。",
    outputs: "输出，三种算法",
    rows: ["M 乘以 𝑢（注意力的方式）", "递推（RNN 的方式）", "分块（Mamba-2 的方式）"],
    difference: "最大差异",
    costs: "任意长度的文字所需的乘法次数",
    costsNote: (n, p) =>
      `一个头，${n} 个状态，${p} 个通道。递推与分块的次数差不多，都随 l 增长；但分块是矩阵乘法，显卡的矩阵单元做起来快许多倍。整个矩阵随 l² 增长。`,
    textLength: "词元数",
    ways: { recurrence: "递推", matrix: "一个矩阵", chunks: "块长 64" },
    count: "乘法次数",
    hints: [
      "把“至少保留”设为 1：什么都不衰减，L 全是 1，M 就是线性注意力。",
      "设为 0：远处的词元从 M 里淡出，M 变成沿对角线的一条带。",
      "改变块长：三行始终相等。变的只是分组，就像扫描那一页。",
    ],
  },
);
