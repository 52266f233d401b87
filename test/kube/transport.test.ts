/** What a warning header says (RFC 7234, 5.5; k8s.io/apimachinery, util/net). */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { warningsOf } from '../../src/kube/transport.ts';

suite('warnings of an answer', () => {
  const cases: Readonly<Record<string, readonly [string | undefined, readonly string[]]>> = {
    'without the header there are none': [undefined, []],
    'one is its text': ['299 - "sample: mid-analysis"', ['sample: mid-analysis']],
    'several come in their order': ['299 - "one", 299 - "two, too"', ['one', 'two, too']],
    'escaped quotes and backslashes are the text': [
      String.raw`299 - "say \"no\" to C:\\"`,
      [String.raw`say "no" to C:\ `.trimEnd()],
    ],
    'an agent and a date change nothing': ['299 agent:80 "text" "Mon, 23 Nov 2026"', ['text']],
    'other codes are not of the API server': ['110 - "stale"', []],
    'no text without its end': ['299 - "half', []],
  };
  for (const [name, [header, expected]] of Object.entries(cases)) {
    test(name, () => assert.deepEqual(warningsOf(header), expected));
  }
});
