import { subjectMatches } from "@coppice/net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SubjectIndex } from "../src/subject-index.ts";

const token = fc.constantFrom("a", "b", "c");
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant("*")), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, isOpen]) => [...tokens, ...(isOpen ? [">"] : [])].join("."));

test("finds what a look at every pattern finds, also after some were removed", () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 12 }),
      fc.array(fc.nat({ max: 11 }), { maxLength: 6 }),
      fc.array(subject, { minLength: 1, maxLength: 6 }),
      (patterns, removals, subjects) => {
        const index = new SubjectIndex<number>();
        const kept = new Map(patterns.entries());
        for (const [value, each] of kept) index.add(each, value);
        for (const value of removals) {
          const each = kept.get(value);
          if (each !== undefined) index.remove(each, value);
          kept.delete(value);
        }
        for (const each of subjects) {
          const wanted = [...kept].filter(([, one]) => subjectMatches(one, each));
          expect(new Set(index.matching(each))).toEqual(new Set(wanted.map(([value]) => value)));
        }
      },
    ),
  );
});
