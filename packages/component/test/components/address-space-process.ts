/**
 * A program for a test: starts instances until the process has no address space for another, and says how that failed, and
 * whether those that run still answer.
 *
 * @module
 */
import { type ComponentInstance, instantiate } from "@coppice/component";
import { buildGuest, compileGuest } from "../guests.ts";

/** Each has so many memories, so that few instances are enough. */
const memories = 900;

const { compiled } = await compileGuest(
  await buildGuest(`(component
    (core module $empty (memory (export "memory") 1))
    ${Array.from({ length: memories }, (_, index) => `(core instance $m${index} (instantiate $empty))`).join("\n")}
    (core module $m (func (export "one") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func (export "one") (result u32) (canon lift (core func $i "one"))))`),
);
const open: ComponentInstance[] = [];

/** How it fails in the end. */
async function fill(): Promise<Error> {
  try {
    for (;;) open.push(await instantiate(compiled, { imports: {}, onOutput: () => {} }));
  } catch (thrown) {
    return thrown as Error;
  }
}

const { name, message, cause } = await fill();
const code = (cause as { readonly code?: string } | undefined)?.code;
const answers = await Promise.all(open.map((instance) => instance.call("one", [])));
process.send!({ name, message, code, answers: new Set(answers).size, instances: open.length });
