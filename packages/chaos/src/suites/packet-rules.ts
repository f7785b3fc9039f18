/**
 * The rules of a packet filter (nft) that make the faults of a network, as text.
 *
 * @module
 */

/** The table that holds them; deleting it heals. */
export const table = "inet coppice_chaos";

export type PacketFault =
  /** Nothing arrives and nothing leaves. */
  | { readonly kind: "cut" }
  /** Nothing arrives. */
  | { readonly kind: "deaf" }
  /** Nothing leaves. */
  | { readonly kind: "mute" }
  /** So many packets of a hundred are lost on arrival, at random. */
  | { readonly kind: "loss"; readonly percent: number }
  /** Every packet of a TCP connection that arrives is answered with a reset. */
  | { readonly kind: "refuse" };

/** For `nft -f`, in the network namespace that is hit. */
export function rulesOf(fault: PacketFault): string {
  switch (fault.kind) {
    case "cut":
      return tableWith(chain("input", "drop"), chain("output", "drop"));
    case "deaf":
      return tableWith(chain("input", "drop"));
    case "mute":
      return tableWith(chain("output", "drop"));
    case "loss":
      return tableWith(chain("input", `numgen random mod 100 < ${fault.percent} drop`));
    case "refuse":
      return tableWith(chain("input", "meta l4proto tcp reject with tcp reset"));
  }
}

/** Only what crosses the network is hit, not what a machine says to itself. */
function chain(hook: "input" | "output", rule: string): string {
  const port = hook === "input" ? "iifname" : "oifname";
  return `chain ${hook} { type filter hook ${hook} priority 0; ${port} != "lo" ${rule}; }`;
}

function tableWith(...chains: readonly string[]): string {
  return `table ${table} {\n${chains.join("\n")}\n}\n`;
}
