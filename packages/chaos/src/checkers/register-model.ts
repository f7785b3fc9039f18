/**
 * A register that is read and written, as a model for the check of linearizability: who has a name, what a process holds.
 *
 * @module
 */
import type { SequentialModel } from "./linearizability.ts";

export type RegisterInput =
  | { readonly type: "read" }
  | { readonly type: "write"; readonly value: string }
  /** Writes if it holds `expected`. */
  | { readonly type: "swap"; readonly expected: string; readonly value: string };

/** What was read; for a swap, whether it wrote; nothing for a write. */
export type RegisterOutput = string | boolean | undefined;

export function registerModel(
  initial: string,
): SequentialModel<string, RegisterInput, RegisterOutput> {
  return {
    initial,
    key: (state) => state,
    step: (state, input, output) => {
      switch (input.type) {
        case "read":
          return output === undefined || output === state ? { state } : undefined;
        case "write":
          return { state: input.value };
        case "swap": {
          const writes = state === input.expected;
          if (output !== undefined && output !== writes) return undefined;
          return { state: writes ? input.value : state };
        }
      }
    },
  };
}
