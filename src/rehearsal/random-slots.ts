/**
 * Chance that depends on nothing but a seed and a place: the same question has the same answer,
 * whenever and however often it is asked.
 */

/** Uniform in [0, 1). */
export function chance(seed: number, ...place: readonly number[]): number {
  let hash = seed | 0;
  for (const part of place) {
    hash = Math.imul(hash ^ (part | 0), 0x9e37_79b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Beyond this many, the bell curve is as good. */
const singleMax = 400;

/** How many of `count` things, each with the given probability, happen. */
export function successesOf(
  count: number,
  probability: number,
  draw: (index: number) => number,
): number {
  if (probability <= 0 || count <= 0) return 0;
  if (probability >= 1) return count;
  if (count <= singleMax) {
    let happened = 0;
    for (let index = 0; index < count; index += 1) if (draw(index) < probability) happened += 1;
    return happened;
  }
  const mean = count * probability;
  const deviation = Math.sqrt(mean * (1 - probability));
  const normal = Math.sqrt(-2 * Math.log(1 - draw(0))) * Math.cos(2 * Math.PI * draw(1));
  return Math.min(count, Math.max(0, Math.round(mean + deviation * normal)));
}
