/**
 * The scenarios that come with the program: `scenarios/*.yaml`, kept beside them as JSON so that one
 * bundle holds them. A test compares the two, and writes the JSON when golden files are rewritten.
 */
import sources from './shipped-scenarios.json' with { type: 'json' };
import type { ReadScenario } from './read-scenario.ts';
import { readScenario } from './read-scenario.ts';

/** In the order of the alphabet. */
export const shippedScenarioNames: readonly string[] = Object.keys(sources);

/** Its YAML, with what it says of itself in comments. */
export const shippedScenarioSource = (name: string): string | undefined =>
  Object.hasOwn(sources, name) ? (sources as Readonly<Record<string, string>>)[name] : undefined;

export function readShippedScenario(name: string): ReadScenario | undefined {
  const source = shippedScenarioSource(name);
  return source === undefined ? undefined : readScenario(`${name}.yaml`, source, name);
}
