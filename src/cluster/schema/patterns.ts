/**
 * Go's regular expressions (RE2) as JavaScript's. They are alike in what schemas use; what is
 * translated here is what is written differently.
 */

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** Undefined where it is no regular expression. */
export function compilePattern(pattern: string): RegExp | undefined {
  const groups = /^(?<anchor>\^?)(?:\(\?(?<flags>[ims]+)\))?(?<body>.*)$/s.exec(pattern)?.groups;
  const { anchor = '', flags, body = '' } = groups ?? {};
  const source = `${anchor}${body}`
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole)
    .replaceAll(/\\([Az])/g, (_, anchor: string) => (anchor === 'A' ? '^' : '$'))
    .replaceAll(/\\p([A-Z])(?!\w*\})/g, '\\p{$1}')
    .replaceAll('(?P<', '(?<');
  // Unicode mode has classes such as \p{L}, and refuses escapes that RE2 allows.
  return attempt(source, `u${flags ?? ''}`) ?? attempt(source, flags ?? '');
}

function attempt(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}
