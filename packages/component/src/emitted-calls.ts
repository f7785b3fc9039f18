/**
 * Corrections to the script jco 1.35 emits that make its calls cheaper, where a component has no async functions.
 *
 * jco tracks each call as a task of the async component model: with promises for its parts that nobody waits for, and locks
 * that are always free, since an instance runs one call at a time (`instance.ts`, I1). What is left is the promise of the
 * guest's own suspension.
 *
 * @module
 */
import type { Correction } from "./emitted-script.ts";

export const callCorrections: readonly Correction[] = [
  {
    // Of a task that no other waits for.
    what: "the promises of a task",
    pattern:
      /const \{\s*promise: completionPromise,[^]*?(?=if \(opts\.callbackFn\) \{ this\.#callbackFn = opts\.callbackFn; \})/,
    replacement: "",
  },
  {
    what: "the numbers of tasks",
    pattern: /static _ID = 0n;/g,
    replacement: "static _ID = 0;",
  },
  {
    // Entering cannot wait: the instance was free.
    what: "the entry of an exported function",
    pattern: /const started = await task\.enter\(\);/g,
    replacement: "const started = task.enterSync();",
  },
  {
    // A function of the host is entered without the instance's lock, which its caller has.
    what: "the entry of an imported function",
    pattern: /const started = await task\.enter\(\{ isHost: hostProvided \}\);/g,
    replacement: "const started = true;",
  },
  {
    // The exit of the task clears what is set here.
    what: "the current task, for what waits",
    pattern: /async function (_withGlobalCurrentTaskMetaAsync)\(args\) \{[^]*?\n {4}\}\n/,
    replacement: `function $1({ taskID, componentIdx, fn }) {
      CURRENT_TASK_META.current = CURRENT_TASK_META[componentIdx] = { taskID, componentIdx };
      return fn();
    }
`,
  },
  {
    what: "the exit of a task",
    pattern: /this\.#exited = true;\s*clearCurrentTask\(this\.#componentIdx, this\.id\(\)\);/,
    replacement: `this.#exited = true;
      if (CURRENT_TASK_META[this.#componentIdx]?.taskID === this.#id) CURRENT_TASK_META[this.#componentIdx] = null;
      if (CURRENT_TASK_META.current?.taskID === this.#id) CURRENT_TASK_META.current = null;
      clearCurrentTask(this.#componentIdx, this.#id);`,
  },
  {
    what: "the handlers of a free lock",
    pattern:
      /this\.#onExclusiveReleaseHandlers = this\.#onExclusiveReleaseHandlers\.filter\(v => !!v\);/,
    replacement:
      "if (this.#onExclusiveReleaseHandlers.length === 0 && this.#lockWaiters.length === 0) return true;\n$&",
  },
  {
    // With nothing left that it waits for itself, it returns the promise of its inner function.
    what: "the promise of an exported function",
    pattern:
      /async ((?:function [\w$]+|\$construct)\([^)]*\) \{(?:(?!\bawait\b)[^])*?return) await (_withGlobalCurrentTaskMetaAsync\(\{\n)/g,
    replacement: "$1 $2",
  },
].map((each) => ({ ...each, everywhere: false, onlySync: true }));
