import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { createLogger } from '../../src/telemetry/log.ts';
import type { LogFields, LogOptions } from '../../src/telemetry/log.ts';

const at = Date.parse('2026-11-23T06:58:01.042Z');

function record(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    encoding: 'json',
    write: (line) => void lines.push(line),
    now: () => at,
    ...options,
  });
  return { log, lines };
}

function parsed(fields: LogFields, message = 'm'): Record<string, unknown> {
  const { log, lines } = record();
  log.info(fields, message);
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

suite('a line', () => {
  test('has the keys of the reference (spec/03, 7.4)', () => {
    const { log, lines } = record({ logger: 'controller' });
    log.warn({ canary: 'podinfo.shop' }, 'Halt podinfo.shop advancement');
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      level: 'warn',
      ts: '2026-11-23T06:58:01.042Z',
      logger: 'controller',
      msg: 'Halt podinfo.shop advancement',
      canary: 'podinfo.shop',
    });
    assert.ok(lines[0]?.endsWith('}\n'));
  });

  test('is separated by tabs in the console encoding', () => {
    const { log, lines } = record({ encoding: 'console' });
    log.info({ canary: 'podinfo.shop', weight: 10 }, 'Advance');
    log.info({}, 'bare');
    assert.deepEqual(lines, [
      '2026-11-23T06:58:01.042Z\tinfo\tAdvance\t{"canary":"podinfo.shop","weight":10}\n',
      '2026-11-23T06:58:01.042Z\tinfo\tbare\n',
    ]);
  });

  test('holds an error with its causes, and its stack apart', () => {
    const cause = new Error('connection refused');
    const line = parsed({ error: new Error('apply VirtualService shop/podinfo', { cause }) });
    assert.equal(line['error'], 'apply VirtualService shop/podinfo: connection refused');
    assert.match(String(line['stacktrace']), /^Error: apply VirtualService.*\n\s+at /);
  });
});

const enabled: Record<string, readonly string[]> = {
  debug: ['debug', 'info', 'warn', 'error'],
  info: ['info', 'warn', 'error'],
  warn: ['warn', 'error'],
  error: ['error'],
  fatal: [],
  panic: [],
  warning: ['info', 'warn', 'error'],
  '': ['info', 'warn', 'error'],
  constructor: ['info', 'warn', 'error'],
};
for (const [level, expected] of Object.entries(enabled)) {
  test(`level "${level}" logs ${expected.join(', ') || 'nothing'}`, () => {
    const { log, lines } = record({ level });
    for (const method of ['debug', 'info', 'warn', 'error'] as const) log[method]({}, 'm');
    const seen = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    assert.deepEqual(seen, expected);
  });
}

suite('secrets', () => {
  const hidden: Record<string, LogFields> = {
    'in a header': { headers: { Authorization: 'Bearer hunter2hunter2' } },
    'in a token field': { slackToken: 'hunter2' },
    'in a password field': { auth: { password: 'hunter2' } },
    'in an array': { list: [{ cookie: 'hunter2' }] },
    'in a bearer text': { message: 'sent Bearer hunter2hunter2 to it' },
    'in an address': { url: 'https://admin:hunter2@prometheus.example/api' },
    'in a Slack address': { url: 'https://hooks.slack.com/services/T0/B0/hunter2' },
    'in a Discord address': { url: 'https://discord.com/api/webhooks/1/hunter2' },
    'in a query': { url: 'https://chat.example/v1?key=hunter2&x=1' },
    'in an error': { error: new Error('GET https://a:hunter2@b failed') },
    'in a key': { pem: '-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----' },
  };
  for (const [name, fields] of Object.entries(hidden)) {
    test(`are masked ${name}`, () => {
      const line = JSON.stringify(parsed(fields));
      assert.ok(!line.includes('hunter2'), line);
      assert.ok(line.includes('[redacted]'), line);
    });
  }

  test('are masked in the message', () => {
    assert.equal(parsed({}, 'https://a:hunter2@b/')['msg'], 'https://[redacted]@b/');
  });

  test('are not seen where there are none', () => {
    const fields = { secret: 'podinfo-env', url: 'https://b:9090/x?query=up', tokens: 3 };
    const { secret, url, tokens } = parsed(fields);
    assert.deepEqual({ secret, url, tokens }, fields);
  });
});

suite('logging cannot fail its caller', () => {
  test('with a circle', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    assert.match(JSON.stringify(parsed({ circle })), /\[deep\]/);
  });

  test('with a field that throws, and the others are logged', () => {
    const line = parsed({
      canary: 'podinfo.shop',
      get trap(): string {
        throw new Error('trap');
      },
    });
    assert.deepEqual([line['canary'], line['trap']], ['podinfo.shop', '[unreadable]']);
  });

  test('with a stream that is gone', () => {
    const { log } = record({
      write: () => {
        throw new Error('EPIPE');
      },
    });
    log.error({}, 'm');
  });

  test('with a body without end', () => {
    const line = parsed({ body: 'x'.repeat(1_000_000) });
    assert.ok(JSON.stringify(line).length < 10_000);
  });

  test('with anything at all, and always one line of JSON per call', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })),
        fc.string(),
        (fields, message) => {
          const { log, lines } = record();
          log.info(fields, message);
          assert.equal(lines.length, 1);
          assert.equal(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
          JSON.parse(lines[0] ?? '');
        },
      ),
    );
  });
});
