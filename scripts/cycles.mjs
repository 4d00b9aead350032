/**
 * Circles in a directed graph: each strongly connected component of more than one node, or of one that points at itself (Tarjan 1972).
 * @param {Map<string, string[]>} graph node -> nodes it points at; unknown targets are ignored
 * @returns {string[][]} each the nodes of one component, in the order they were met
 */
export function findCycles(graph) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const onStack = new Set();
  const cycles = [];

  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    onStack.add(node);
    for (const next of graph.get(node)) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) {
        visit(next);
        low.set(node, Math.min(low.get(node), low.get(next)));
      } else if (onStack.has(next)) low.set(node, Math.min(low.get(node), index.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    for (const member of component) onStack.delete(member);
    if (component.length > 1 || graph.get(node).includes(node)) cycles.push(component);
  };

  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return cycles;
}
