/**
 * What supervisors log: progress, ends, failed starts, giving up (C10). Stable keys, one readable line each.
 *
 * | event | level | when |
 * |---|---|---|
 * | `progress` | info | a child has started |
 * | `child_terminated` | error | a permanent child ended, or another one abnormally |
 * | `start_error` | error | a child did not start, with its supervisor or again |
 * | `shutdown_error` | error | a child that was stopped ended otherwise than expected |
 * | `supervisor_shutdown` | error | more restarts than the intensity allows |
 *
 * An orderly stop logs nothing.
 *
 * @module
 */
import { describeReason, type ExitReason, type Self } from "@coppice/kernel";
import { type Child, shutdownMsOf } from "./child.ts";
import type { RestartIntensity } from "./restart-intensity.ts";

export type ErrorReport = "child_terminated" | "start_error" | "shutdown_error";

export class SupervisorReports {
  readonly #self: Self;
  /** What people call the supervisor. Looked up once: looking at a process costs as much as it has links and messages. */
  readonly #title: string;

  constructor(self: Self) {
    this.#self = self;
    const info = self.kernel.info(self.pid);
    this.#title = info?.name ?? info?.label ?? self.pid.toString();
  }

  progress(child: Child): void {
    const fields = { ...this.#offender(child), restarts: child.restarts };
    this.#self.kernel.logger.info(
      { event: "progress", ...fields },
      `${this.#title} started ${child.spec.id}`,
    );
  }

  /** `action`: what the supervisor does about it, for people. */
  error(event: ErrorReport, child: Child, reason: ExitReason, action: string): void {
    this.#self.kernel.logger.error(
      { event, ...this.#offender(child), reason, action },
      `${this.#title}: ${child.spec.id} ${event}: ${describeReason(reason)}; ${action}`,
    );
  }

  gaveUp(child: Child, { maxRestarts, maxSeconds }: RestartIntensity): void {
    const reason = "reached_max_restart_intensity";
    this.#self.kernel.logger.error(
      {
        event: "supervisor_shutdown",
        ...this.#offender(child),
        reason,
        maxRestarts,
        maxSeconds,
      },
      `${this.#title} gives up: ${child.spec.id} needed more than ${maxRestarts} restarts within ${maxSeconds} s`,
    );
  }

  /** A message that no supervisor handles is dropped (C8.1). */
  unexpected(what: string): void {
    this.#self.kernel.logger.error(
      { event: "unexpected_message", supervisor: this.#title, what },
      `${this.#title} got a message it does not handle: ${what}`,
    );
  }

  #offender(child: Child): Record<string, unknown> {
    const { spec, pid } = child;
    return {
      supervisor: this.#title,
      child: spec.name ?? spec.id,
      pid: pid?.toString(),
      restart: spec.restart ?? "permanent",
      significant: spec.significant ?? false,
      shutdownMs: shutdownMsOf(spec),
      type: spec.type ?? "worker",
    };
  }
}
