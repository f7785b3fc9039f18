/**
 * Corrections to the script jco 1.35 emits for a component. The version is pinned, so each is checked to have applied.
 *
 * @module
 */
import { callCorrections } from "./emitted-calls.ts";

export interface Correction {
  readonly what: string;
  readonly pattern: RegExp;
  readonly replacement: string;
  /** Whether every script has a place for it. */
  readonly everywhere: boolean;
  /** Left out for a component with async functions, streams or futures. */
  readonly onlySync?: boolean;
}

const corrections: readonly Correction[] = [
  {
    // Every step of a call reads an environment variable to decide whether to log: most of its time.
    what: "the debug log",
    pattern: /^ *_debugLog\([^]*?\);\n/gm,
    replacement: "",
    everywhere: false, // Where there is nothing to call, there is nothing to log.
  },
  {
    what: "what is left of the debug log",
    pattern: /const _debugLog = \(\.\.\.args\) => \{[^]*?\n {2}\}/,
    replacement: "const _debugLog = () => {}",
    everywhere: false,
  },
  {
    // A scheduler sees every entry into the guest and every wait of it.
    what: "what it calls WebAssembly",
    pattern: /(export function instantiate\(getCoreModule, imports, )/,
    replacement: "$1WebAssembly, ",
    everywhere: true,
  },
  {
    // The number of open resources decides whether an instance can be saved.
    what: "tables of resources",
    pattern: /const HANDLE_TABLES\s*=\s*\[\];/,
    replacement: "$& WebAssembly.handleTables = HANDLE_TABLES;",
    everywhere: false,
  },
  {
    // A handle that was collected would run its destructor in the middle of another call. Handles are dropped by name.
    what: "finalizers",
    pattern: /return new FinalizationRegistry\(unregister\);/g,
    replacement: "return { register () {}, unregister () {} };",
    everywhere: false,
  },
  {
    // A constructor may suspend as any function may, but a JavaScript constructor cannot await.
    what: "constructors",
    pattern: /(class [\w$]+\{\n\s*)constructor\(/g, // jco's own classes have a space before the brace.
    replacement: "$1static async $$construct(",
    everywhere: false,
  },
  {
    // jco leaves out `async` where it awaits in the static functions of a resource.
    what: "static functions",
    pattern: /^( *[A-Z][\w$]*\.\w+ = )function /gm,
    replacement: "$1async function ",
    everywhere: false,
  },
  {
    // What is returned here never settles, since the task of a failed import is left unfinished.
    what: "failed imports",
    pattern: /(task\.reject\(err\);\s*task\.exit\(\);\s*)return task\.completionPromise\(\);/g,
    replacement: "$1throw err;",
    everywhere: false,
  },
  {
    // jco ends the task of an async function of the host without its result, which it then refuses to do.
    what: "async functions of the host",
    pattern: /if \(hostProvided\) \{\s*task\.exit\(\);\s*return ret;/g,
    replacement: "if (hostProvided) {\ntask.resolve([ret]);\ntask.exit();\nreturn ret;",
    everywhere: false,
  },
  {
    // What leaves the guest is counted: a result may refer to the same memory any number of times.
    what: "the count of what leaves the guest",
    pattern: /export function instantiate\(getCoreModule, imports,[^\n]*\{/,
    replacement: `$&
  const _charge = imports.$charge;
  const _sliced = (buffer, start, end) => {
    if (end > buffer.byteLength) throw new WebAssembly.RuntimeError('a list is out of bounds');
    _charge(end - start);
    return buffer.slice(start, end);
  };`,
    everywhere: true,
  },
  {
    // Each call of an import has a count of its own, also one of WASI, which does nothing but write.
    what: "the count of what leaves the guest for an import",
    pattern: /^ *const _trampoline\d+ = (?:async )?function\([^)]*\) \{\n/gm,
    replacement: "$&    _charge();\n",
    everywhere: false,
  },
  {
    // Text is counted too, and decoded as the component model says: nothing is repaired, nothing left out.
    what: "text",
    pattern: /const TEXT_DECODER_UTF8 = new TextDecoder\(\);/,
    replacement: `const _utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const TEXT_DECODER_UTF8 = { decode: (view) => { _charge(view.byteLength); return _utf8.decode(view); } };`,
    everywhere: false,
  },
  {
    what: "lists of numbers",
    pattern: /\b(memory\d+\.buffer)\.slice\((\w+), (\w+ \+ [^)]+)\)/g,
    replacement: "_sliced($1, $2, $3)",
    everywhere: false,
  },
  {
    what: "lists",
    pattern:
      /(var result\d+ = \[\];\n\s*)(for \(let i = 0; i < (len\d+); i\+\+\) \{\n\s*const base = base\d+ \+ i \* (\d+);)/g,
    replacement: "$1_charge($3 * $4);\n$2",
    everywhere: false,
  },
  {
    // After each promise of the host jco starts timers that look for tasks to resume: only async functions have any.
    what: "timers after promises of the host",
    pattern: /(function _trackHostOperation\(operation\) \{)/,
    replacement: "$1\n    return operation();",
    everywhere: false,
    onlySync: true,
  },
  ...callCorrections,
];

/**
 * The script, corrected.
 *
 * @param usesAsync whether the component has async functions, streams or futures.
 * @throws {Error} if jco's output is not what these corrections know.
 */
export function corrected(script: string, usesAsync: boolean): string {
  let text = script;
  for (const { what, pattern, replacement, everywhere, onlySync = false } of corrections) {
    if (usesAsync && onlySync) continue;
    const before = text;
    text = text.replace(pattern, replacement);
    if (everywhere && text === before)
      throw new Error(`jco's output has changed: no place was found to correct ${what}`);
  }
  if (text.includes("JCO_DEBUG"))
    throw new Error("jco's output has changed: a debug log is left in it");
  return text;
}
