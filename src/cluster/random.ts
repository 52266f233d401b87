/**
 * Randomness that a seed decides. Each purpose has a stream of its own, so that one more draw for
 * one of them changes nothing for the others.
 */

/** Uniform in [0, 1). */
export type Random = () => number;

/** FNV-1a over the UTF-16 units of a text. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

/** The SplitMix32 finalizer: it spreads seeds that differ by a bit. */
function mixed(value: number): number {
  let mix = (value + 0x9e3779b9) | 0;
  mix = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad);
  mix = Math.imul(mix ^ (mix >>> 15), 0x735a2d97);
  return (mix ^ (mix >>> 15)) >>> 0;
}

/** sfc32 of PractRand: 128 bits of state, one of them a counter, so that no cycle is short. */
export function createRandom(seed: number | string, purpose = ''): Random {
  const start = hashOf(`${seed}/${purpose}`);
  let a = mixed(start);
  let b = mixed(a);
  let c = mixed(b);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}
