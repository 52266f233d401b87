import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { answerReview, parseReview } from '../../src/admission/review.ts';
import { after, before, patchOf, patched, readReview } from './podinfo.ts';

const uid = 'u-1';
const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
const request = { uid, object: after };

suite('reading', () => {
  test('takes what is needed of a review, and of its user', () => {
    assert.deepEqual(parseReview(readReview('set-image')), {
      ok: true,
      request: {
        uid: readReview('set-image').request.uid,
        kind: 'Deployment',
        operation: 'UPDATE',
        namespace: 'test',
        name: 'podinfo',
        user: 'alice@example.com',
        dryRun: false,
        object: after,
        oldObject: before,
      },
    });
  });

  test('takes what is deleted for the object of a deletion', () => {
    const parsed = parseReview(readReview('canary-delete'));
    assert.ok(parsed.ok);
    assert.equal(parsed.request.operation, 'DELETE');
    assert.equal(parsed.request.object, parsed.request.oldObject);
  });

  const refused: Record<string, [unknown, string]> = {
    'nothing at all': [undefined, 'kind is not AdmissionReview'],
    'a list': [[review], 'kind is not AdmissionReview'],
    'another kind': [{ ...review, kind: 'Status' }, 'kind is not AdmissionReview'],
    'the version that is gone': [
      { ...review, apiVersion: 'admission.k8s.io/v1beta1' },
      'apiVersion is not admission.k8s.io/v1, the one that is registered for',
    ],
    'no request': [review, 'request.uid is missing'],
    'an empty UID': [{ ...review, request: { ...request, uid: '' } }, 'request.uid is missing'],
    'a UID that is no text': [{ ...review, request: { uid: 7 } }, 'request.uid is missing'],
  };
  for (const [sentence, [body, error]] of Object.entries(refused)) {
    test(`refuses ${sentence}, which no answer could reach`, () => {
      assert.deepEqual(parseReview(body), { ok: false, error });
    });
  }

  const answerable: Record<string, unknown> = {
    'no object': undefined,
    'an object that was deleted': null,
    'an object without metadata': { kind: 'Deployment', metadata: {} },
    'an object without a kind': { metadata: { name: 'a' } },
    'an object that is text': 'podinfo',
  };
  for (const [sentence, object] of Object.entries(answerable)) {
    test(`knows the UID where there is ${sentence}`, () => {
      assert.deepEqual(parseReview({ ...review, request: { uid, object } }), {
        ok: false,
        error: 'request.object is no Kubernetes object',
        uid,
      });
    });
  }

  test('whatever is sent, it throws nothing', () => {
    fc.assert(fc.property(fc.anything(), (body) => void parseReview(body)));
    fc.assert(
      fc.property(fc.object(), (parts) => {
        const parsed = parseReview({ ...review, request: { ...parts, uid } });
        assert.equal(parsed.ok ? parsed.request.uid : parsed.uid, uid);
      }),
    );
  });
});

suite('answering', () => {
  const warned = (...warnings: string[]) => {
    const { response } = answerReview(uid, after, { warnings });
    return 'warnings' in response ? response.warnings : undefined;
  };

  test('has the least where there is nothing to say', () => {
    const { response } = answerReview(uid, after, { warnings: [] });
    assert.deepEqual(response, { uid, allowed: true });
    const same = answerReview(uid, after, { warnings: [], wanted: structuredClone(after) });
    assert.deepEqual(same.response, response);
  });

  test('has a JSON Patch in base64, which makes the one object of the other', () => {
    const { response } = answerReview(uid, before, { warnings: [], wanted: after });
    assert.equal('patchType' in response && response.patchType, 'JSONPatch');
    const patch = 'patch' in response ? (response.patch ?? '') : '';
    assert.ok(patchOf(patch).every(({ op }) => op !== 'test'));
    assert.deepEqual(patched(before, patch), after);
  });

  test('refuses with a reason, and changes nothing then', () => {
    const { response } = answerReview(uid, before, {
      warnings: [],
      wanted: after,
      denied: 'it cannot work',
    });
    assert.deepEqual(response, {
      uid,
      allowed: false,
      status: { code: 403, reason: 'Forbidden', message: 'it cannot work' },
    });
  });

  test('cuts a warning at 256 characters, and keeps 16 of them', () => {
    const [short, long] = warned('a'.repeat(256), 'a'.repeat(257)) ?? [];
    assert.equal(short, 'a'.repeat(256));
    assert.equal(long, `${'a'.repeat(255)}…`);
    assert.equal(warned(...Array.from({ length: 20 }, (_, index) => `${index}`))?.length, 16);
  });

  test('cuts no character in two', () => {
    assert.deepEqual(warned(`${'a'.repeat(254)}😀😀`), [`${'a'.repeat(254)}…`]);
  });

  test('has no control characters in warnings: API servers drop those that do, without a word', () => {
    assert.deepEqual(warned('query: a\r\n\tb\u0007\u0085c'), ['query: a b c']);
  });

  test('whatever the warnings, a client gets all of each, or its beginning, in one line', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (warnings) => {
        const found = warned(...warnings) ?? [];
        for (const warning of found) {
          assert.ok(warning.length <= 256);
          assert.ok(warning.isWellFormed());
          assert.doesNotMatch(warning, /\p{Cc}/u);
        }
        assert.equal(found.length, Math.min(warnings.length, 16));
      }),
    );
  });
});
