/**
 * The program broken on purpose, once for each invariant and more: `make mutants` makes each of
 * these changes in a copy, and tells stories until one breaks. A simulator that finds nothing then
 * would find nothing in earnest.
 */
export interface Mutation {
  /** The invariant of the design that it breaks. */
  readonly invariant: number;
  readonly sentence: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly from: string;
  readonly to: string;
  /** Invariants whose laws may notice it, where it is not (only) the law of that number. */
  readonly noticedBy?: readonly number[];
  /** Words that the breach must say, where the number alone could be a coincidence. */
  readonly noticedAs?: string;
  /** Where to begin, if the first seeds are known to tell nothing of it. */
  readonly seed?: number;
  /** The story that tells of it, where seeds do only by chance. */
  readonly retold?: string;
}

export const mutations: readonly Mutation[] = [
  {
    invariant: 1,
    sentence: 'weights sum to 101',
    file: 'src/canary/plan.ts',
    from: 'primary: totalWeight - canaryWeight,',
    to: 'primary: totalWeight - canaryWeight + (canaryWeight > 0 ? 1 : 0),',
  },
  {
    invariant: 1,
    sentence: 'a canary without pods counts as ready',
    file: 'src/canary/progress.ts',
    from: "return hasPods || target.readiness.kind !== 'Ready' ? target.readiness : none;",
    to: "return hasPods ? target.readiness : { kind: 'Ready' };",
  },
  {
    invariant: 1,
    sentence: 'pods of a target that was just scaled down count',
    file: 'src/canary/progress.ts',
    from: 'target.replicas > 0 && target.availablePods > 0',
    to: 'target.availablePods > 0',
    seed: 5092,
  },
  {
    invariant: 2,
    sentence: 'a suspended canary goes on',
    file: 'src/canary/decide.ts',
    from: 'if (canary.spec.suspend === true)',
    to: 'if (canary.spec.suspend === undefined)',
  },
  {
    invariant: 2,
    sentence: 'any number of rollouts is in progress at once',
    file: 'src/controller/slots.ts',
    from: 'this.isLimited = limits.cluster > 0 || limits.namespace > 0;',
    to: 'this.isLimited = false;',
    noticedAs: 'and one may',
  },
  {
    invariant: 2,
    sentence: 'a rollout begins in the middle of one that it depends on',
    file: 'src/canary/dependency.ts',
    from: 'if (!resting.includes(phase) || begins)',
    to: "if (phase === 'Waiting')",
    noticedAs: 'in the middle of what it depends on',
  },
  {
    invariant: 3,
    sentence: 'a rollback forgets the route',
    file: 'src/canary/roll-back.ts',
    from: 'effects: [...upkeep, route(seen, splitAt(0), withoutCookie(seen)), ...idle],',
    to: 'effects: [...upkeep, ...idle],',
  },
  {
    invariant: 3,
    sentence: 'pods of a failed canary are never scaled down',
    file: 'src/canary/rest.ts',
    from: "effects: [...effects, { kind: 'ScaleTarget', replicas: 0 }],",
    to: 'effects,',
    noticedBy: [5],
  },
  {
    invariant: 4,
    sentence: 'failed checks count as passed',
    file: 'src/canary/progress.ts',
    from: 'if (!checks.passed) return countFailure',
    to: 'if (checks.sayings.length > 99) return countFailure',
  },
  {
    invariant: 4,
    sentence: 'a primary that was deleted is made of whatever is applied',
    file: 'src/controller/act.ts',
    from: 'const restored = seen.lastPrimary && kind?.restore(seen.canary, seen.lastPrimary);',
    to: 'const restored = undefined;',
    noticedAs: 'comes back as',
  },
  {
    invariant: 5,
    sentence: 'a revision that comes after a failure is lost',
    file: 'src/canary/rest.ts',
    from: "if (revision.change === 'Changed') return begin(seen, now, revision, effects);",
    to: "if (revision.change === 'Changed' && status.phase !== 'Failed') return begin(seen, now, revision, effects);",
  },
  {
    invariant: 5,
    sentence: 'a Service that is promoted leads where it led',
    file: 'src/targets/service.ts',
    from: 'spec: copiedSpec(options.target, primary),',
    to: 'spec: primary.spec,',
  },
  {
    invariant: 5,
    sentence: 'a Knative Service that is promoted names the revision that it named',
    file: 'src/targets/knative-service.ts',
    from: 'renderPromotion: named,',
    to: 'renderPromotion: () => ({ resource: knativeServices, live: service, wanted: service }),',
  },
  {
    invariant: 6,
    sentence: 'the status is written before what it says is so',
    file: 'src/controller/reconcile.ts',
    from: `    for (const effect of decision.effects) await act(effect, seen, world);
    const written = await writeStatus(seen, decision.status, world);`,
    to: `    const written = await writeStatus(seen, decision.status, world);
    for (const effect of decision.effects) await act(effect, seen, world);`,
    noticedBy: [3, 5],
  },
  {
    invariant: 6,
    sentence: 'a process that comes back looks at its pods before it looks at failed checks',
    file: 'src/canary/progress.ts',
    from: `    failByChecks(seen, now) ??
    awaitReady(seen, now, canaryReadiness(seen.target));`,
    to: `    awaitReady(seen, now, canaryReadiness(seen.target)) ??
    failByChecks(seen, now);`,
    noticedBy: [5],
    retold: 'pods of a failed canary go, and nobody hears that it has failed (seed 12426)',
  },
  {
    invariant: 7,
    sentence: 'a status at rest is written at every look, and looks go on',
    file: 'src/canary/rest.ts',
    from: 'const resting = refused ?? { ...nothing, effects };',
    to: `const status0 = transition(seen, {}, now);
  const resting = { ...nothing, effects, status: status0, lookAgainAtMs: now.steadyMs + 10_000 };`,
  },
];
