/** Several canaries on one embedded cluster, changed together: who is in flight at which moment. */
import assert from 'node:assert/strict';
import type { Canary, CanarySpec } from '../../src/api/canary.ts';
import { canaries, deployments } from '../../src/kube/resources.ts';
import type { Stage } from '../support/stage.ts';
import { canaryOf, target, withImage } from '../support/stage.ts';

export const inFlight = ['Progressing', 'WaitingPromotion', 'Promoting', 'Finalising'];

const labelled = (name: string) => ({ app: name });

/** A Deployment and a Canary by each name, initialized and at rest. */
export async function deployFleet(
  stage: Stage,
  names: readonly string[],
  specOf: (name: string) => Partial<CanarySpec> = () => ({}),
): Promise<void> {
  for (const name of names) {
    const { template } = target.spec;
    await stage.apply(deployments, {
      ...target,
      metadata: { ...target.metadata, name },
      spec: {
        ...target.spec,
        selector: { matchLabels: labelled(name) },
        template: { ...template, metadata: { labels: labelled(name) } },
      },
    });
    const base = canaryOf({}, specOf(name));
    const canary: Canary = {
      ...base,
      metadata: { ...base.metadata, name },
      spec: { ...base.spec, targetRef: { ...base.spec.targetRef, name } },
    };
    await stage.apply(canaries, canary);
  }
  const isAtRest = (): boolean => names.every((name) => phaseOf(stage, name) === 'Initialized');
  assert.ok(await stage.world.clock.advanceUntil(isAtRest, 120_000), 'never initialized');
  await stage.world.clock.advance(20_000);
}

export const phaseOf = (stage: Stage, name: string): string =>
  stage.find(canaries, name)?.status?.phase ?? '';

export const setImageOf = (stage: Stage, name: string, image: string): Promise<void> =>
  stage.edit(
    deployments,
    (live) => ({
      ...live,
      spec: { ...live.spec, template: withImage(live.spec.template, image) },
    }),
    name,
  );

export interface Watched {
  /** In the order in which they began. */
  readonly begun: readonly string[];
  readonly mostAtOnce: number;
}

/** Goes on until all have succeeded; looks four times a second. */
export async function watchFleet(
  stage: Stage,
  names: readonly string[],
  at: (ms: number) => void = () => undefined,
): Promise<Watched> {
  const begun: string[] = [];
  let mostAtOnce = 0;
  for (let ms = 0; !names.every((name) => phaseOf(stage, name) === 'Succeeded'); ms += 250) {
    const shown = names.map((name) => `${name} ${phaseOf(stage, name)}`).join(', ');
    assert.ok(ms < 900_000, `never done: ${shown}`);
    const flying = names.filter((name) => inFlight.includes(phaseOf(stage, name)));
    for (const name of flying) if (!begun.includes(name)) begun.push(name);
    mostAtOnce = Math.max(mostAtOnce, flying.length);
    at(ms);
    await stage.world.clock.advance(250);
  }
  return { begun, mostAtOnce };
}
