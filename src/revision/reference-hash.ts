/**
 * The reference's revision hash (`spec/01`, 3.12), computed to recognise what its installation has
 * recorded, and nothing else: it covers the fields of one Kubernetes version, in 32 bits.
 *
 * It is FNV-1a over a text dump of the typed object, so the dump is driven by that version's types.
 */
import type { PodTemplateSpec, StringMap } from '../api/kubernetes.ts';
import { dumpQuantity } from './reference-quantity.ts';
import types from './reference-types.json' with { type: 'json' };

const structs: Readonly<Record<string, readonly string[]>> = types.structs;
const namedTypes: Readonly<Record<string, string>> = types.named;

/** Up to 10 characters. */
export function referenceHash(template: PodTemplateSpec): string {
  return referenceHashOf('v1.PodTemplateSpec', template);
}

/** The hash of any value of a type in the tables. */
export function referenceHashOf(goType: string, value: unknown): string {
  return hashText(`(${goType})${dump(goType, value)}`);
}

/** What a hook is told of a revision: `checksum` of its payload (`spec/01`, 2.18.3). */
export function hookChecksum(status: {
  readonly trackedConfigs?: StringMap;
  readonly lastAppliedSpec?: string;
}): string {
  const { trackedConfigs, lastAppliedSpec = '' } = status;
  const configs = dump('map[string]string', trackedConfigs);
  return hashText(
    '(struct { TrackedConfigs *map[string]string; LastAppliedSpec string })' +
      `{TrackedConfigs:(*map[string]string)${configs} LastAppliedSpec:(string)${lastAppliedSpec}}`,
  );
}

const digits: Readonly<Record<string, string>> = {
  0: '4',
  1: '5',
  2: '6',
  3: '7',
  4: '8',
  5: '9',
  6: 'b',
  7: 'c',
  8: 'd',
  9: 'f',
};

function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString().replace(/\d/g, (digit) => digits[digit] ?? digit);
}

function dump(goType: string, value: unknown): string {
  const missing = value === undefined || value === null;
  if (goType.startsWith('*')) return missing ? '<nil>' : dump(goType.slice(1), value);
  if (goType.startsWith('[]')) return missing ? '<nil>' : dumpSlice(goType.slice(2), value);
  const map = /^map\[([^\]]+)\](.+)$/.exec(goType);
  if (map !== null) return missing ? '<nil>' : dumpMap(map[2] ?? '', value);
  const underlying = namedTypes[goType];
  if (underlying !== undefined) return dump(underlying, value);
  const fields = structs[goType];
  if (fields !== undefined) return dumpStruct(fields, value);
  return dumpLeaf(goType, value);
}

function dumpSlice(element: string, value: unknown): string {
  const items = Array.isArray(value) ? value : [];
  return `[${items.map((item) => dump(element, item)).join(' ')}]`;
}

function dumpMap(element: string, value: unknown): string {
  const entries = Object.entries(fieldsOf(value))
    .toSorted(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map(([key, item]) => `${key}:${dump(element, item)}`);
  return `map[${entries.join(' ')}]`;
}

/** Fields are given as `GoName GoType jsonName`; those of an embedded struct lie in its parent. */
function dumpStruct(fields: readonly string[], value: unknown): string {
  const given = fieldsOf(value);
  const dumped = fields.map((field) => {
    const [name = '', goType = '', jsonName = ''] = field.split(' ');
    const item = jsonName === '<inline>' ? given : given[jsonName];
    return `${name}:(${goType})${dump(goType, item)}`;
  });
  return `{${dumped.join(' ')}}`;
}

function dumpLeaf(goType: string, value: unknown): string {
  switch (goType) {
    case 'bool':
      return String(value === true);
    case 'int32':
    case 'int64':
      return String(typeof value === 'number' ? value : 0);
    case 'intstr.IntOrString':
      return typeof value === 'string'
        ? `{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)${value}}`
        : `{Type:(intstr.Type)0 IntVal:(int32)${Number(value ?? 0)} StrVal:(string)}`;
    case 'resource.Quantity':
      return dumpQuantity(value);
    case 'v1.Time':
      // Templates and Services carry no time but an empty creationTimestamp.
      return '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';
    default:
      return typeof value === 'string' ? value : '';
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
