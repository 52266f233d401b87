import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { SessionAffinity } from '../../src/api/canary.ts';
import {
  canaryCookie,
  cookiePattern,
  droppedCookie,
  isNamed,
  primaryCookie,
} from '../../src/routing/session-cookies.ts';

const everyAttribute: SessionAffinity = {
  cookieName: 'cc',
  domain: 'x.io',
  httpOnly: true,
  partitioned: true,
  path: '/',
  sameSite: 'Lax',
  secure: true,
};
const attributes = 'Domain=x.io; HttpOnly; Partitioned; Path=/; SameSite=Lax; Secure';

// The texts of spec/01, 2.21.
const texts: Record<string, [string, string]> = {
  'a cookie lives for a day': [
    canaryCookie('cc=VzetLhOzkF', { cookieName: 'cc' }),
    'cc=VzetLhOzkF; Max-Age=86400',
  ],
  'a lifetime of 0 is that of a day': [
    canaryCookie('cc=a', { cookieName: 'cc', maxAge: 0 }),
    'cc=a; Max-Age=86400',
  ],
  'a cookie has its attributes in the order of the reference': [
    canaryCookie('cc=VzetLhOzkF', everyAttribute),
    `cc=VzetLhOzkF; Max-Age=86400; ${attributes}`,
  ],
  'attributes that are off are left out': [
    canaryCookie('cc=a', { cookieName: 'cc', httpOnly: false, secure: false, domain: '' }),
    'cc=a; Max-Age=86400',
  ],
  'the cookie of the primary lives for an interval, in whole seconds': [
    primaryCookie('pp=a', { cookieName: 'cc', maxAge: 7 }, 90_500),
    'pp=a; Max-Age=90',
  ],
  'a cookie is dropped with the attributes that it was set with': [
    droppedCookie('cc=a', everyAttribute),
    `cc=a; Max-Age=-1; ${attributes}`,
  ],
  'a bearer is recognised by name and value': [
    cookiePattern('flagger-cookie=AbCdEfGhIj'),
    '.*flagger-cookie.*AbCdEfGhIj.*',
  ],
};
for (const [name, [text, expected]] of Object.entries(texts)) {
  test(name, () => assert.equal(text, expected));
}

test('a cookie without a name is none', () => {
  for (const cookie of [undefined, '', '=uXvkgYMbvF', 'name']) assert.equal(isNamed(cookie), false);
  assert.equal(isNamed('name='), true);
});

/** Characters of a cookie's name: the token of RFC 9110. */
const token = fc
  .array(fc.constantFrom(..."ab9!#$%&'*+-.^_`|~".split('')), { minLength: 1, maxLength: 6 })
  .map((letters) => letters.join(''));

test('any name of a cookie is a pattern of itself among other cookies', () => {
  const holds = (name: string, other: string): void => {
    const pattern = new RegExp(`^${cookiePattern(`${name}=AbCdEfGhIj`)}$`);
    assert.match(`${other}=1; ${name}=AbCdEfGhIj; ${other}=2`, pattern);
    assert.doesNotMatch(`${name}=Another`, pattern);
  };
  fc.assert(fc.property(token, token, holds));
});
