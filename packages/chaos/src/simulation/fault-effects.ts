/**
 * What a set of faults that overlap makes of the cluster: a pure function of the faults that are active.
 *
 * @module
 */
import type { LinkFaults, StoreState, StoreViewFaults } from "@coppice/testkit";
import type { Fault, FaultKind } from "./fault-plan.ts";

/** The state of the links, the cuts and the store. */
export interface FaultEffects {
  readonly storeState: StoreState;
  /** `from>to`, sorted. */
  readonly cuts: readonly string[];
  readonly links: Readonly<Record<string, { readonly in: LinkFaults; readonly out: LinkFaults }>>;
  readonly stores: Readonly<Record<string, Partial<StoreViewFaults>>>;
  readonly frozen: readonly string[];
}

/** How long a message takes when nothing is wrong, in milliseconds. */
export const healthyDelayMs = [0.2, 2] as const;

export function effectsOf(active: readonly Fault[], nodes: readonly string[]): FaultEffects {
  const any = (kind: FaultKind): boolean => active.some((fault) => fault.kind === kind);
  const of = (kind: FaultKind, node: string): Fault[] =>
    active.filter((fault) => fault.kind === kind && fault.targets[0] === node);
  const most = (kind: FaultKind, node: string): number =>
    Math.max(0, ...of(kind, node).map(({ amount }) => amount));
  const links: Record<string, { in: LinkFaults; out: LinkFaults }> = {};
  const stores: Record<string, Partial<StoreViewFaults>> = {};
  const cuts = new Set<string>();
  for (const node of nodes) {
    const modes = new Set(of("isolate", node).map(({ amount }) => amount));
    const [min, max] = healthyDelayMs;
    const shared = { loss: most("loss", node), duplicates: most("duplicate", node) };
    links[node] = {
      in: {
        ...shared,
        delayMs: [min, max + most("delay", node)],
        cut: modes.has(0) || modes.has(1),
      },
      out: { ...shared, delayMs: [0, 0], cut: modes.has(0) || modes.has(2) },
    };
    const isParted = of("partition", node).length > 0;
    stores[node] = {
      cut: isParted || of("store-cut", node).length > 0,
      lostAcks: most("lost-acks", node),
      staleMs: most("stale", node),
    };
    for (const other of nodes)
      if (isParted && other !== node) cuts.add(`${node}>${other}`).add(`${other}>${node}`);
  }
  for (const { kind, targets } of active) if (kind === "one-way") cuts.add(targets.join(">"));
  const isDown = any("store-unavailable") || any("network-restart");
  return {
    storeState: isDown ? "unavailable" : any("store-leaderless") ? "leaderless" : "healthy",
    cuts: [...cuts].sort(),
    links,
    stores,
    frozen: nodes.filter((node) => of("freeze", node).length > 0),
  };
}
