/**
 * Where children of a cluster supervisor run: a pure function of the nodes and the child, so that every node that sees
 * the same nodes computes the same answer.
 *
 * Weighted rendezvous hashing: each node draws a number for each child, the largest wins. A node that joins takes over only
 * what it wins, its share; what a node that leaves had is spread over the others, and nothing else moves.
 *
 * Source: Thaler and Ravishankar, A name-based mapping scheme for rendezvous (1996); weights as in Schindelhauer and
 * Schomaker, Weighted distributed hash tables (2005).
 *
 * @module
 */

/** A node that children may be placed on. */
export interface PlacementNode {
  readonly node: string;
  /** Its share compared with others; 0 takes nothing. */
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a child asks for. */
export interface Placement {
  /** Only nodes that have all of these labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A label: replicas go to nodes that differ in it while there are such, for example `zone`. */
  readonly spread?: string;
  /** The id of another child: this one goes where that one's first replica does, if both ask for the same labels. */
  readonly near?: string;
}

export interface PlacedChild {
  readonly id: string;
  readonly count: number;
  readonly placement: Placement;
}

/** The node of each replica, in order; undefined where no node fits. */
export function place(
  { id, count, placement }: PlacedChild,
  nodes: readonly PlacementNode[],
): readonly (string | undefined)[] {
  const fitting = nodes.filter((node) => node.weight > 0 && hasLabels(node, placement.labels));
  const key = placement.near ?? id;
  const used: PlacementNode[] = [];
  for (let replica = 0; replica < count; replica += 1) {
    const best = winner(leastUsed(fitting, used, placement.spread), `${key} ${replica}`);
    if (best !== undefined) used.push(best);
  }
  return Array.from({ length: count }, (_, replica) => used[replica]?.node);
}

/** The nodes in the order in which they win a name: for those who have no child, only a name. */
export function rank(name: string, nodes: readonly PlacementNode[]): readonly string[] {
  const key = `${name} 0`;
  return nodes
    .filter(({ weight }) => weight > 0)
    .map((node) => ({ node: node.node, score: score(node, key) }))
    .sort((a, b) => b.score - a.score || (a.node < b.node ? -1 : 1))
    .map(({ node }) => node);
}

/** Of the nodes, those that differ most from the ones that were taken before. */
function leastUsed(
  nodes: readonly PlacementNode[],
  used: readonly PlacementNode[],
  spread: string | undefined,
): readonly PlacementNode[] {
  if (used.length === 0) return nodes;
  const zoneOf = (node: PlacementNode): string | undefined =>
    spread === undefined ? undefined : node.labels[spread];
  const uses = (node: PlacementNode): readonly [zone: number, own: number] => [
    spread === undefined ? 0 : used.filter((each) => zoneOf(each) === zoneOf(node)).length,
    used.filter((each) => each === node).length,
  ];
  const counted = nodes.map((node) => ({ node, uses: uses(node) }));
  const zoneMin = Math.min(...counted.map((each) => each.uses[0]));
  const inZone = counted.filter((each) => each.uses[0] === zoneMin);
  const ownMin = Math.min(...inZone.map((each) => each.uses[1]));
  return inZone.filter((each) => each.uses[1] === ownMin).map(({ node }) => node);
}

function winner(nodes: readonly PlacementNode[], key: string): PlacementNode | undefined {
  let best: PlacementNode | undefined;
  let bestScore = -Infinity;
  for (const node of nodes) {
    const its = score(node, key);
    const isBetter =
      its > bestScore || (its === bestScore && best !== undefined && node.node < best.node);
    if (!isBetter) continue;
    best = node;
    bestScore = its;
  }
  return best;
}

/** Larger is better; the chance to be the largest is in proportion to the weight. */
function score({ node, weight }: PlacementNode, key: string): number {
  return -weight / Math.log(draw(`${node}\0${key}`));
}

/** A number between 0 and 1, exclusive, that depends on nothing but the text. */
function draw(text: string): number {
  const high = hash(text, 0x811c9dc5) >>> 5;
  const low = hash(text, 0x9e3779b9) >>> 6;
  return (high * 2 ** 26 + low + 0.5) / 2 ** 53;
}

/** FNV-1a, with the final mix of MurmurHash3: every bit depends on every byte. */
function hash(text: string, seed: number): number {
  let state = seed;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

function hasLabels(
  { labels }: PlacementNode,
  wanted: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(wanted).every(([name, text]) => labels[name] === text);
}
