/**
 * Planted bugs: what somebody could get wrong in the protocols, one at a time, as changes of the source text.
 *
 * The simulator must find each one; those that change nothing that was promised say so, and why.
 *
 * @module
 */
import type { FaultKind } from "@coppice/chaos";
import type { SourcePatch } from "../../src/simulation/source-patch.ts";

/** One planted bug. */
export interface Mutant {
  readonly name: string;
  readonly patches: readonly SourcePatch[];
  /** The faults that it takes, where chance rarely brings them together. */
  readonly kinds?: readonly FaultKind[];
  /** Why no promise is broken by it. */
  readonly equivalent?: string;
}

const kernel = "packages/kernel/src";
const otp = "packages/otp/src";
const cluster = "packages/cluster/src";

/** A change of one place. */
function mutant(
  name: string,
  file: string,
  find: string,
  replace: string,
  equivalent?: string,
): Mutant {
  const shared = { name, patches: [{ file, find, replace }] };
  return equivalent === undefined ? shared : { ...shared, equivalent };
}

/** A bug that takes certain faults. */
function rare(kinds: readonly FaultKind[], bug: Mutant): Mutant {
  return { ...bug, kinds };
}

export const mutants: readonly Mutant[] = [
  mutant(
    "the fence is not asked before a reply",
    `${kernel}/open-call.ts`,
    "if (this.callee.options.fence?.() === false)",
    "if (false)",
  ),
  mutant(
    "the fence is not asked before a dispatch",
    `${kernel}/fence.ts`,
    "return process.options.fence !== undefined && !process.options.fence();",
    "return false;",
  ),
  {
    name: "the lease counts from the answer, not from the renewal",
    kinds: ["store-slow", "stale"],
    patches: [
      {
        file: `${cluster}/sessions.ts`,
        find: "this.#lease = { ...this.#lease, renewedMs: sentMs };",
        replace: "this.#lease = { ...this.#lease, renewedMs: this.#clock.now() };",
      },
      {
        file: `${cluster}/sessions.ts`,
        find: "const leftMs = sentMs + actingMs(this.#leaseMs) - nowMs;",
        replace: "const leftMs = actingMs(this.#leaseMs);",
      },
    ],
  },
  mutant(
    "the owner acts for longer than others wait",
    `${cluster}/lease-state.ts`,
    "const ownerShare = 0.9;",
    "const ownerShare = 1.5;",
  ),
  mutant(
    "others take over before the lease has run out",
    `${cluster}/lease-state.ts`,
    "const takeoverShare = 1.1;",
    "const takeoverShare = 0.5;",
  ),
  rare(
    ["reset"],
    mutant(
      "a dead node's session is ended at once",
      `${cluster}/lease-state.ts`,
      "export const deadAfterSilenceMs = 500;",
      "export const deadAfterSilenceMs = 0;",
    ),
  ),
  mutant(
    "the owner acts although its heartbeats do not come back",
    `${cluster}/lease-state.ts`,
    " &&\n    nowMs < state.echoedMs + echoValidMs",
    "",
  ),
  rare(
    ["reset", "stale"],
    mutant(
      "a new connection does not end the right to act",
      `${cluster}/sessions.ts`,
      "this.#lease = { ...this.#lease, renewedMs: -Infinity };",
      "",
    ),
  ),
  rare(
    ["reset", "delay", "network-restart"],
    mutant(
      "what was asked on one connection is concluded on another",
      `${cluster}/membership.ts`,
      "if (gone && connection === this.#connection)",
      "if (gone)",
      "a node with a new connection acts only after a renewal, and a session that was renewed is not ended: at worst it counts as down for a moment",
    ),
  ),
  rare(
    ["clock-rate", "partition", "reset"],
    mutant(
      "heartbeats that were lost on the way to one node count as silence",
      `${cluster}/membership-state.ts`,
      "hasOneServer ? known : { ...known, seenMs: nowMs };",
      "known;",
    ),
  ),
  mutant(
    "a name is claimed without looking whether its owner lives",
    `${cluster}/names.ts`,
    "if (!this.isOurs(name) && this.isOwned(name)) return false;",
    "",
  ),
  mutant(
    "a late watch undoes a newer write",
    `${cluster}/names.ts`,
    "if (revision <= (known?.epoch ?? this.#deleted.get(name))) return;",
    "",
  ),
  mutant(
    "a write whose answer was lost is never learned of",
    `${cluster}/names.ts`,
    "      this.#apply(entry.name, entry, revision);",
    "      if (!isSameLife(entry.owner, this.#self)) this.#apply(entry.name, entry, revision);",
  ),
  mutant(
    "who lost its name goes on",
    `${cluster}/singleton.ts`,
    "if (about === nameLost && this.#mustYield()) await this.#stopChild();",
    "",
    "without the name the fence stays down: it does nothing, and the singleton does not try again while it is there",
  ),
  mutant(
    "the loss of a name counts as a crash",
    `${cluster}/singleton.ts`,
    "if (about === nameLost && this.#mustYield()) await this.#stopChild();",
    'if (about === nameLost && this.#mustYield()) self.exit({ type: "exit", value: "lost" });',
  ),
  mutant(
    "the loss of the session counts as a crash",
    `${cluster}/singleton.ts`,
    'if (about === sessionLost && this.#mode === "strict") {',
    'if (about === sessionLost && this.#child !== undefined) self.exit({ type: "exit", value: "lost" });\n    else if (about === sessionLost && this.#mode === "strict") {',
  ),
  mutant(
    "a process keeps its name's work after the lease",
    `${cluster}/sessions.ts`,
    `      "this node's session could not be renewed in time: what acts for its names stops",
    );
    this.#observer.lost();`,
    `      "this node's session could not be renewed in time: what acts for its names stops",
    );`,
    "it may not act either way, and is stopped when the session turns out to be lost",
  ),
  mutant(
    "monitors of an unreachable node are forgotten",
    `${kernel}/kernel.ts`,
    "this.#remoteMonitors.fireAll(isGone, noconnection);",
    "",
  ),
  mutant(
    "a monitor fires twice",
    `${kernel}/remote-monitors.ts`,
    "    this.#held.delete(id);\n    held.watcher",
    "    held.watcher",
  ),
  mutant(
    "a monitor that was stopped stays",
    `${kernel}/remote-monitors.ts`,
    "return this.#held.delete(id);",
    "return this.#held.has(id);",
    "the process that stopped it knows the reference no more, and drops what comes",
  ),
  mutant(
    "links to an unreachable node are forgotten",
    `${kernel}/signal-receiver.ts`,
    "          this.exitSignal(process, peer, noconnection, true);",
    "          ;",
  ),
  mutant(
    "a repeated packet takes effect again",
    `${cluster}/peer-links.ts`,
    "if (this.#isRepeated(from, header.epoch, header.number)) return;",
    "if (this.#isRepeated(from, header.epoch, header.number)) return this.#read(packet, from);",
  ),
  mutant(
    "lost packets go unnoticed",
    `${cluster}/peer-links.ts`,
    "if (number !== expected) this.#lostBefore(from, { epoch, expected, number });",
    "",
  ),
  mutant(
    "lost first packets go unnoticed",
    `${cluster}/peer-links.ts`,
    "if (number !== firstNumber) this.#lostBefore(from, { epoch, expected: firstNumber, number });",
    "",
  ),
  mutant(
    "a channel that was opened anew means nothing",
    `${cluster}/peer-links.ts`,
    "if (number === firstNumber) this.#receiver.gap(from); // L3\n      else this.#lost(from);",
    "",
  ),
  mutant(
    "repeated broadcasts are delivered again",
    `${cluster}/pubsub.ts`,
    "repeated === 0 ? parsed : parsed.slice(repeated)",
    "parsed",
  ),
  mutant(
    "lost broadcasts are not reported",
    `${cluster}/pubsub.ts`,
    "this.#reportLost(interest, topic, from.node, missed);",
    "",
  ),
  mutant(
    "what may have run is sent again",
    `${cluster}/call-by-name.ts`,
    'return executed === "no" && (',
    "return (",
  ),
  mutant(
    "a call whose callee crashed is said not to have run",
    `${kernel}/failures.ts`,
    'executed: call.dispatched ? "maybe" : "no",',
    'executed: "no",',
  ),
  mutant(
    "a call to a node that became unreachable is said not to have run",
    `${kernel}/kernel.ts`,
    'unreachable(call.label, address.node, "maybe")',
    'unreachable(call.label, address.node, "no")',
  ),
  mutant(
    "answers of an earlier epoch are accepted",
    `${cluster}/call-by-name.ts`,
    "if ((this.#accepted.get(name) ?? 0) > epoch) return false;",
    "",
    "a second line: an owner answers nothing once its fence is down, and calls to a node end when it is declared down",
  ),
  mutant(
    "calls to a name do not wait for each other",
    `${cluster}/call-by-name.ts`,
    "const isTurn = place === undefined ? this.#lines.isEmpty(label) : place.isFirst();",
    "const isTurn = true;",
  ),
  mutant(
    "a call that is sent again goes to the end of its line",
    `${cluster}/waiting-lines.ts`,
    "places.splice(after < 0 ? places.length : after, 0, place);",
    "places.push(place);",
    "it waits for those that overtook it, and is not sent again when one of them may have run: its error says that it did not run",
  ),
  {
    name: "a call that is sent again goes to the end of its line, and after those that overtook it",
    patches: [
      {
        file: `${cluster}/waiting-lines.ts`,
        find: "places.splice(after < 0 ? places.length : after, 0, place);",
        replace: "places.push(place);",
      },
      {
        file: `${cluster}/waiting-lines.ts`,
        find: "? !this.isFollowed(name, place.ticket)",
        replace: "? true",
      },
      {
        file: `${cluster}/call-by-name.ts`,
        find: "if (this.#lines.isOvertaken(label, place.ticket)) return true;",
        replace: "",
      },
    ],
  },
  rare(
    ["reset", "store-slow"],
    mutant(
      "the session of a node that came back is ended",
      `${cluster}/sessions.ts`,
      "if (this.#stopped || known?.incarnation !== incarnation) return;\n    await this.#delete(known);",
      "if (this.#stopped || known?.incarnation !== incarnation) return;\n    await this.#delete(this.#latest(known));",
    ),
  ),
  mutant(
    "the calls of a process that ended fail in reverse",
    `${kernel}/process-ends.ts`,
    "return calls.toReversed();",
    "return calls;",
    "calls by name are put in order again before they are sent again; by pid they only fail in another order",
  ),
  mutant(
    "a name that is being given up is still answered for",
    `${cluster}/registrations.ts`,
    "return this.#givenUp.has(name) && this.#names.isOurs(name);",
    "return false;",
  ),
  rare(
    ["store-slow", "lost-acks", "delay"],
    mutant(
      "a name is acted for in a session that began after it was claimed",
      `${cluster}/sessions.ts`,
      "return epoch > this.#openedRevision && this.mayAct();",
      "return this.mayAct();",
    ),
  ),
  mutant(
    "a process that could not be published runs on",
    `${cluster}/singleton.ts`,
    "await this.#stopChild(); // It may run, and nobody was told of it.",
    "names.letGo(this.#name, this);",
  ),
  mutant(
    "a registered process outlives the session",
    `${cluster}/registrations.ts`,
    "for (const name of this.#registered.keys()) this.#kill(name);",
    "",
    "it may not answer without the session either way, and is killed when another has the name",
  ),
  mutant(
    "the window of restarts is ignored",
    `${otp}/restart-intensity.ts`,
    "exceeded: countRestarts(next) > intensity.maxRestarts",
    "exceeded: false",
  ),
  mutant(
    "a restart starts the child twice",
    `${otp}/supervisor.ts`,
    "      sibling.restarts += 1;",
    "      sibling.restarts += 1;\n      await this.startChild(sibling, self);",
  ),
  mutant(
    "names are not released when a node stops",
    `${cluster}/singleton.ts`,
    'if (reason.type === "shutdown") release();',
    'if (reason.type === "shutdown") return;',
    "the session is deleted right after, which frees every name of the node",
  ),
];
