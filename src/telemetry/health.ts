/** Readiness: what must be true before this replica is sent admission reviews. */

export interface Requirement {
  /** Completes "waiting for ...": `the canaries cache`, `the webhook server`. */
  readonly name: string;
  readonly isMet: () => boolean;
}

/** The names of the requirements that are not met; one that throws is not. */
export function unmet(requirements: readonly Requirement[]): readonly string[] {
  return requirements.filter((requirement) => !holds(requirement)).map(({ name }) => name);
}

function holds(requirement: Requirement): boolean {
  try {
    return requirement.isMet();
  } catch {
    return false;
  }
}
