/**
 * When keys were deleted, for as long as older news of them may still arrive.
 *
 * @module
 */

/** Revisions of deleted keys. A watch tells changes in the order of their revisions. */
export interface DeletedRevisions {
  /** The revision of the delete; 0 if nothing older can arrive any more. */
  readonly get: (key: string) => number;
  readonly set: (key: string, revision: number) => void;
  /** The watch told of that revision: everything older has arrived. */
  readonly watched: (revision: number) => void;
}

export function revisionsOfDeleted(): DeletedRevisions {
  const revisions = new Map<string, number>();
  return {
    get: (key) => revisions.get(key) ?? 0,
    set: (key, revision) => {
      revisions.delete(key);
      revisions.set(key, revision);
    },
    watched: (upTo) => {
      for (const [key, revision] of revisions) {
        if (revision > upTo) return; // Set in the order of their revisions.
        revisions.delete(key);
      }
    },
  };
}
