/** Thresholds and their words: the tables of `spec/03`, 1.6 and 1.7. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { Check, Measured, Measurement, Verdict } from '../../src/analysis/threshold.ts';
import { judge, report } from '../../src/analysis/threshold.ts';
import type { CanaryMetric } from '../../src/api/canary.ts';

const names: Readonly<Record<Measured, string>> = {
  'success rate': 'request-success-rate',
  duration: 'request-duration',
  query: 'error-rate',
};

function checkOf(
  measured: Measured,
  bounds: Omit<CanaryMetric, 'name'>,
  more: Partial<Check> = {},
): Check {
  return {
    canary: 'podinfo.test',
    target: 'app.test',
    provider: 'istio',
    metric: { name: names[measured], ...bounds },
    measured,
    templated: false,
    ...more,
  };
}

const value = (amount: number): Measurement => ({ kind: 'Value', value: amount });
const passed: Verdict = { kind: 'Passed' };
const failed = (text: string): Verdict => ({
  kind: 'Failed',
  message: `Halt podinfo.test advancement ${text}`,
});

suite('a value is held against the bounds', () => {
  const cases: Record<string, [Measured, Omit<CanaryMetric, 'name'>, number, Verdict]> = {
    'a success rate may be its threshold': ['success rate', { threshold: 99 }, 99, passed],
    'a success rate is not under its threshold': [
      'success rate',
      { threshold: 99 },
      69.17,
      failed('success rate 69.17% < 99%'),
    ],
    'a success rate has two decimals of its binary value': [
      'success rate',
      { threshold: 99.5 },
      98.695,
      failed('success rate 98.69% < 99.5%'),
    ],
    'a success rate without a bound passes': ['success rate', {}, 0, passed],
    'a success rate may be both ends of its range': [
      'success rate',
      { thresholdRange: { min: 99, max: 99 } },
      99,
      passed,
    ],
    'a success rate is not above its range': [
      'success rate',
      { thresholdRange: { max: 50 } },
      50.5,
      failed('success rate 50.50% > 50%'),
    ],
    'a range comes before a threshold': [
      'success rate',
      { threshold: 99, thresholdRange: { min: 50 } },
      60,
      passed,
    ],
    'a range without bounds passes': ['query', { threshold: 1, thresholdRange: {} }, 1e9, passed],
    'a duration may be its threshold': ['duration', { threshold: 500 }, 500.9, passed],
    'a duration is not above its threshold': [
      'duration',
      { threshold: 500 },
      1515.7,
      failed('request duration 1.515s > 500ms'),
    ],
    'a minute is a minute': [
      'duration',
      { threshold: 500 },
      60_000,
      failed('request duration 1m0s > 500ms'),
    ],
    'a duration without a bound must be nothing': [
      'duration',
      {},
      1,
      failed('request duration 1ms > 0s'),
    ],
    'less than a millisecond is nothing': ['duration', {}, 0.9, passed],
    'bounds of durations are whole milliseconds': [
      'duration',
      { thresholdRange: { min: 5.9 } },
      5,
      passed,
    ],
    'a duration is not under its range': [
      'duration',
      { thresholdRange: { min: 5.9 } },
      4.9,
      failed('request duration 4ms < 5ms'),
    ],
    'an endless duration is no 0s': [
      'duration',
      { threshold: 500 },
      Infinity,
      failed('request duration +Inf > 500ms'),
    ],
    'a query may be its threshold': ['query', { threshold: 5 }, 5, passed],
    'a query is not above its threshold': [
      'query',
      { threshold: 5 },
      5.5,
      failed('error-rate 5.50 > 5'),
    ],
    'a query without a bound must not be above 0': [
      'query',
      {},
      0.001,
      failed('error-rate 0.00 > 0'),
    ],
    'a query may be negative': ['query', { threshold: 0 }, -7, passed],
    'a minimum is tested before a maximum': [
      'query',
      { thresholdRange: { min: 10, max: 1 } },
      5,
      failed('error-rate 5.00 < 10'),
    ],
    'a bound of a million is an exponent': [
      'query',
      { threshold: 1e6 },
      Infinity,
      failed('error-rate +Inf > 1e+06'),
    ],
  };
  for (const [name, [measured, bounds, amount, verdict]] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(judge(checkOf(measured, bounds), value(amount)), verdict);
    });
  }
});

suite('what has no value is told', () => {
  const nothing: Measurement = { kind: 'NoValues', error: 'no values found' };
  const broken: Measurement = { kind: 'Error', error: 'request failed: refused' };
  const cases: Record<string, [Check, Measurement, Verdict]> = {
    'of a success rate, with the reason': [
      checkOf('success rate', {}),
      nothing,
      {
        kind: 'NoData',
        message:
          'Halt advancement no values found for istio metric request-success-rate probably app.test ' +
          'is not receiving traffic: running query failed: no values found',
      },
    ],
    'of a success rate that fails plainly': [
      checkOf('success rate', {}, { provider: 'kubernetes', failsPlainly: true }),
      nothing,
      {
        kind: 'NoData',
        message:
          'Halt advancement no values found for kubernetes metric request-success-rate probably ' +
          'app.test is not receiving traffic: no values found',
      },
    ],
    'of a duration, without the reason': [
      checkOf('duration', {}),
      nothing,
      {
        kind: 'NoData',
        message:
          'Halt advancement no values found for istio metric request-duration probably app.test is ' +
          'not receiving traffic',
      },
    ],
    'of an inline query': [
      checkOf('query', {}),
      nothing,
      { kind: 'NoData', message: 'Halt advancement no values found for metric: error-rate' },
    ],
    'of a template': [
      checkOf('query', {}, { templated: true }),
      nothing,
      {
        kind: 'NoData',
        message: 'Halt advancement no values found for custom metric: error-rate: no values found',
      },
    ],
    'of a built-in query that failed': [
      checkOf('duration', {}),
      broken,
      {
        kind: 'Unmeasured',
        message: 'Prometheus query failed: running query failed: request failed: refused',
      },
    ],
    'of an inline query that failed': [
      checkOf('query', {}),
      broken,
      {
        kind: 'Unmeasured',
        message: 'Prometheus query failed for error-rate: request failed: refused',
      },
    ],
    'of a template that failed': [
      checkOf('query', {}, { templated: true }),
      broken,
      {
        kind: 'Unmeasured',
        message: 'Metric query failed for error-rate: request failed: refused',
      },
    ],
  };
  for (const [name, [check, measurement, verdict]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(judge(check, measurement), verdict));
  }
});

suite('a report keeps what was judged', () => {
  const thresholds: Record<string, [Measured, Omit<CanaryMetric, 'name'>]> = {
    '>= 99%': ['success rate', { threshold: 99 }],
    '<= 500ms': ['duration', { threshold: 500.7 }],
    '>= 1.5 and <= 5': ['query', { thresholdRange: { min: 1.5, max: 5 } }],
    '<= 0': ['query', {}],
    anything: ['query', { thresholdRange: {} }],
  };
  for (const [threshold, [measured, bounds]] of Object.entries(thresholds)) {
    test(`accepted: ${threshold}`, () => {
      assert.equal(report(checkOf(measured, bounds), value(1)).threshold, threshold);
    });
  }

  test('with a duration in whole milliseconds', () => {
    assert.deepEqual(report(checkOf('duration', { threshold: 2000 }), value(1515.7)), {
      metric: 'request-duration',
      measured: 'duration',
      value: 1515,
      unit: 'ms',
      threshold: '<= 2s',
      verdict: passed,
    });
  });

  test('without a value where there was none', () => {
    const { value: found, unit } = report(checkOf('success rate', {}), {
      kind: 'Error',
      error: 'down',
    });
    assert.deepEqual([found, unit], [undefined, '%']);
  });
});

test('whatever the bounds, a value passes exactly where it is within them', () => {
  const amount = fc.double({ noNaN: true });
  const bound = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined });
  fc.assert(
    fc.property(amount, bound, bound, (measured, min, max) => {
      const thresholdRange = {
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      };
      const verdict = judge(checkOf('query', { thresholdRange }), value(measured));
      const isWithin = measured >= (min ?? -Infinity) && measured <= (max ?? Infinity);
      assert.equal(verdict.kind, isWithin ? 'Passed' : 'Failed');
    }),
  );
});
