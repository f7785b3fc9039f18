/**
 * The gate: how metered modules reach their scheduler, and how an instance is given its fuel.
 *
 * @module
 */
import { ByteWriter } from "./byte-writer.ts";
import { reserved } from "./reserved-names.ts";

/** What a metered instance asks when its fuel is used up. */
export interface GateHandlers {
  /**
   * How to go on: new fuel (0 or more), or one of `gateAnswer`. `owner` is what {@link arm} was given. It must not
   * throw: the guest could catch that.
   */
  readonly check: (owner: number) => number;
  /** After `gateAnswer.suspend`: the guest waits for the promise; its value is an answer as above, but not `suspend`. */
  readonly suspend: (owner: number) => Promise<number>;
}

/** The two handlers as functions that a module can hold. One serves every instance of a thread. */
export interface Gate {
  readonly check: unknown;
  readonly suspend: unknown;
}

export function createGate(handlers: GateHandlers): Gate {
  const { exports } = new WebAssembly.Instance(gateModule(), {
    host: {
      check: handlers.check,
      suspend: new WebAssembly.Suspending(handlers.suspend),
    },
  });
  return { check: exports["check"], suspend: exports["suspend"] };
}

/** A metered instance in the hands of its scheduler. */
export interface ArmedInstance {
  /** Sets what is left: with -1 the guest asks the gate at its next point. */
  readonly setFuel: (units: number) => void;
}

/**
 * Joins an instance of a rewritten module to the gate, gives it fuel and runs its start function.
 *
 * @throws whatever the start function throws: the instance is of no use then.
 */
export function arm(
  exports: WebAssembly.Exports,
  { gate, owner, fuel }: { readonly gate: Gate; readonly owner: number; readonly fuel: number },
): ArmedInstance {
  const units = exports[reserved.fuel] as WebAssembly.Global;
  (exports[reserved.owner] as WebAssembly.Global).value = owner;
  (exports[reserved.check] as WebAssembly.Global).value = gate.check;
  (exports[reserved.suspend] as WebAssembly.Global).value = gate.suspend;
  units.value = fuel;
  (exports[reserved.start] as (() => void) | undefined)?.();
  return {
    setFuel: (left) => {
      units.value = left;
    },
  };
}

/** Functions of the host become functions a typed global can hold by passing through a module. */
function gateModule(): WebAssembly.Module {
  const out = new ByteWriter().raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const section = (id: number, body: ByteWriter): void =>
    void out.byte(id).u32(body.length).raw(body.written());
  section(1, new ByteWriter().raw([1, 0x60, 1, 0x7f, 1, 0x7f]));
  const imports = new ByteWriter().u32(2);
  for (const name of ["check", "suspend"]) imports.name("host").name(name).raw([0, 0]);
  section(2, imports);
  const exports = new ByteWriter().u32(2);
  for (const [index, name] of ["check", "suspend"].entries()) exports.name(name).raw([0, index]);
  section(7, exports);
  return new WebAssembly.Module(out.written());
}
