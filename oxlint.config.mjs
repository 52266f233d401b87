/**
 * Lint rules, and the house's floor plan: which room of `src/` may import which.
 * One table, one rule per room. A room that is not in the table may import nothing.
 */
const rooms = {
  api: [],
  canary: ['api'],
  revision: ['api', 'node:crypto'],
  analysis: ['api'],
  kube: ['api', 'node:*', '@kubernetes/client-node'],
  targets: ['api', 'kube', 'revision'],
  routing: ['api', 'kube'],
  outbound: ['node:*', 'undici'],
  metrics: ['api', 'analysis', 'outbound', 'node:*'],
  hooks: ['api', 'outbound', 'node:*'],
  alerts: ['api', 'outbound'],
  telemetry: ['api', 'kube', 'node:*', 'prom-client', 'pino'],
  certs: ['api', 'kube', 'node:*', 'node-forge'],
  admission: [
    'api',
    'revision',
    'kube',
    'targets',
    'telemetry',
    'node:*',
    'express',
    'fast-json-patch',
  ],
  cluster: [
    'api',
    'kube',
    'node:*',
    'fast-json-patch',
    '@marcbachmann/cel-js',
    'yaml',
    'protobufjs',
    'protobufjs/minimal.js',
  ],
  controller: [
    'api',
    'outbound',
    'canary',
    'revision',
    'analysis',
    'kube',
    'targets',
    'routing',
    'metrics',
    'hooks',
    'alerts',
    'telemetry',
    'certs',
    'admission',
    'node:*',
  ],
  rehearsal: [
    'api',
    'outbound',
    'canary',
    'revision',
    'analysis',
    'kube',
    'targets',
    'routing',
    'metrics',
    'hooks',
    'alerts',
    'telemetry',
    'certs',
    'admission',
    'controller',
    'cluster',
    'node:*',
    'yaml',
  ],
  cli: [
    'api',
    'outbound',
    'canary',
    'revision',
    'analysis',
    'kube',
    'targets',
    'routing',
    'metrics',
    'hooks',
    'alerts',
    'telemetry',
    'certs',
    'admission',
    'controller',
    'cluster',
    'rehearsal',
    'node:*',
    'yaml',
  ],
};

/** Rooms whose functions are pure: no clock, no randomness, no I/O. */
const pure = ['api', 'canary', 'revision', 'analysis'];

const open = (it) =>
  /^(node:|@|protobufjs)|^[a-z-]+$/.test(it) && !(it in rooms)
    ? [`!${it}`]
    : [`!../${it}/**`, `!../../${it}/**`];

const layer = ([room, allowed]) => ({
  files: [`src/${room}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            // Folders of one room see its files, and `cluster/schema` is for all of that room.
            group: ['*', '!./**', '!../*.ts', '!../schema/*.ts', ...allowed.flatMap(open)],
            message: `${room}/ may import ${allowed.join(', ') || 'nothing'}: see docs/architecture.md`,
          },
        ],
      },
    ],
  },
});

const purity = {
  files: pure.map((room) => `src/${room}/**`),
  rules: {
    'no-restricted-globals': [
      'error',
      ...[
        'Date',
        'fetch',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'process',
        'console',
        'performance',
      ].map((name) => ({ name, message: 'This room is pure: time and I/O are passed in.' })),
    ],
    'no-restricted-properties': [
      'error',
      {
        object: 'Math',
        property: 'random',
        message: 'This room is pure: randomness is passed in.',
      },
    ],
  },
};

export default {
  plugins: ['typescript', 'import', 'node', 'promise', 'unicorn'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    eqeqeq: 'error',
    'no-console': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-empty': 'error',
    'no-shadow': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    // The compiler's noImplicitReturns knows exhaustive switches; this rule does not.
    'typescript/consistent-return': 'off',
    'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    'import/no-default-export': 'error',
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'promise/always-return': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/consistent-function-scoping': 'off',
  },
  overrides: [
    ...Object.entries(rooms).map(layer),
    purity,
    {
      files: ['test/**'],
      rules: {
        'typescript/no-floating-promises': 'off',
        'max-lines-per-function': 'off',
        'no-console': 'off',
      },
    },
  ],
};
