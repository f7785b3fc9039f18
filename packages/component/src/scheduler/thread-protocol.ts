/**
 * What a node and its scheduler threads say to each other. They go in batches (`outbox.ts`).
 *
 * A thread runs instances; everything that belongs to the node (host functions, logs) stays with the node, which is asked.
 * Order is kept in each direction.
 *
 * @module
 */
import type { Logger } from "@coppice/kernel";
import type { CompiledArtifact } from "../compile.ts";
import type { InstanceOptions } from "../instance.ts";

/** What an instance has used: milliseconds of its processor, and handles that are live. */
type Use = readonly [cpuMs: number, handles: number];

/** An error as data: classes do not cross threads. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Its own fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorData;
}

/** What an instance is made with, as far as it is data. */
export type InstanceData = Pick<
  InstanceOptions,
  "cpuMsPerCall" | "cpuMsPerProcess" | "importMs" | "payloadBytes" | "owner" | "wasi"
>;

/** To a thread. Components, instances and requests are numbered by the node. */
export type ToThread =
  /** A component that instances are opened of from now on. */
  | readonly [type: "know", component: number, artifact: CompiledArtifact]
  /** No more instances are opened of it. */
  | readonly [type: "forget", component: number]
  | readonly [
      type: "open",
      instance: number,
      component: number,
      /** The names of the host's functions. */
      imports: readonly string[],
      options: InstanceData,
    ]
  | readonly [
      type: "call",
      instance: number,
      request: number,
      name: string,
      ...args: readonly unknown[],
    ]
  /** Answered as a call is. */
  | readonly [type: "save", instance: number, request: number]
  | readonly [type: "load", instance: number, request: number, snapshot: Uint8Array]
  | readonly [type: "die", instance: number, error: ErrorData]
  /** What a host function returned or threw. */
  | readonly [type: "returned", instance: number, request: number, value: unknown]
  | readonly [type: "threw", instance: number, request: number, error: ErrorData];

/** From a thread. Requests to host functions are numbered by the thread. */
export type FromThread =
  | readonly [type: "opened", instance: number]
  | readonly [type: "refused", instance: number, error: ErrorData]
  | readonly [type: "answer", instance: number, request: number, value: unknown, ...use: Use]
  | readonly [type: "failure", instance: number, request: number, error: ErrorData, ...use: Use]
  | readonly [
      type: "import",
      instance: number,
      request: number,
      name: string,
      ...args: readonly unknown[],
    ]
  | readonly [type: "output", instance: number, stream: "stdout" | "stderr", line: string]
  | readonly [
      type: "log",
      instance: number,
      level: keyof Logger,
      fields: Readonly<Record<string, unknown>>,
      message: string,
    ];
