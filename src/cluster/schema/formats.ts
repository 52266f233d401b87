/**
 * Formats of strings that the API server checks in custom resources; others say nothing to it.
 * Rules: k8s.io/kube-openapi, `validation/strfmt`, and k8s.io/apiextensions-apiserver,
 * `apiserver/validation/formats.go`. Card and book numbers are not checked here.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

const uuid = (version: string, variant: string): RegExp =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );
const hex = '[0-9a-f]';
const hostname =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;
const shortName = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const shortNamePattern = new RegExp(`^${shortName}$`);
const longNamePattern = new RegExp(`^${shortName}(\\.${shortName})*$`);
const goDuration = /^[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
const time = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/;

const matching =
  (pattern: RegExp): ((text: string) => boolean) =>
  (text) =>
    pattern.test(text);

/** The last name of each stands for all that begin with it. */
const durationUnits: readonly (readonly [names: readonly string[], nanoseconds: bigint])[] = [
  [['ns', 'nano'], 1n],
  [['us', 'µs', 'micro'], 1_000n],
  [['ms', 'milli'], 1_000_000n],
  [['s', 'sec'], 1_000_000_000n],
  [['m', 'min'], 60_000_000_000n],
  [['h', 'hr', 'hour'], 3_600_000_000_000n],
  [['d', 'day'], 86_400_000_000_000n],
  [['w', 'wk', 'week'], 604_800_000_000_000n],
];

function nanosecondsOf(unit: string): bigint | undefined {
  const found = durationUnits.find(
    ([names]) => names.includes(unit) || unit.startsWith(names.at(-1) ?? unit),
  );
  return found?.[1];
}

export const isGoDuration = (text: string): boolean => goDuration.test(text);

/**
 * A duration as Go writes them. It may be given so, or in words, of which only those count that are
 * units: `3 hours`. Undefined where it is none.
 */
export function goDurationOf(text: string): string | undefined {
  if (isGoDuration(text)) return text;
  let total: bigint | undefined;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const size = nanosecondsOf(unit.toLowerCase());
    if (size !== undefined) total = (total ?? 0n) + BigInt(count) * size;
  }
  return total === undefined ? undefined : `${total}ns`;
}

function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (parts === null) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  const [date = '', clock = ''] = text.toLowerCase().split('t');
  const [, hours = '', minutes = '', seconds = ''] = time.exec(clock) ?? [];
  return isDate(date) && hours !== '' && hours <= '23' && minutes <= '59' && seconds <= '59';
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (version === 4 ? 32 : 128);
}

/** As Go's `url.ParseRequestURI` after `url.Parse`: a path, or a URL with a scheme. */
function isRequestUri(text: string): boolean {
  if (text === '*') return true;
  return text.startsWith('/')
    ? !/[\s]/.test(text)
    : /^[a-z][a-z0-9+.-]*:/i.test(text) && URL.canParse(text);
}

const checks: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
  uri: isRequestUri,
  email: matching(/^(?:[^<>@]*<)?[^\s<>@,;:]+@[^\s<>@,;:]+>?$/),
  hostname: (text) =>
    hostname.test(text) &&
    text.length <= 255 &&
    text.split('.').every((label) => label.length <= 63),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: matching(/^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}(?:(?:[0-9a-f]{2}\1){2})?[0-9a-f]{2}$/i),
  uuid: matching(uuid(hex, hex)),
  uuid3: matching(uuid('3', hex)),
  uuid4: matching(uuid('4', '[89ab]')),
  uuid5: matching(uuid('5', '[89ab]')),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  byte: matching(
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/,
  ),
  password: () => true,
  date: isDate,
  duration: (text) => goDurationOf(text) !== undefined,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && shortNamePattern.test(text),
  k8slongname: (text) => text.length <= 253 && longNamePattern.test(text),
};

/** Undefined where the API server does not know the format either. Hyphens do not count. */
export function formatCheck(format: string): ((text: string) => boolean) | undefined {
  const name = format.replaceAll('-', '');
  return Object.hasOwn(checks, name) ? checks[name] : undefined;
}
