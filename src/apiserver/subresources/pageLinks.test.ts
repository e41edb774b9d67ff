import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PageLinks, rewriterFor } from './pageLinks.ts';

const rewrite = rewriterFor({ prefix: '/p/proxy', hosts: ['10.0.0.1:80', 'api:6443'] });

/** What comes out of a page that comes in pieces of these lengths. */
async function through(page: Buffer, lengths: readonly number[] = []): Promise<string> {
  const links = new PageLinks(rewrite);
  let at = 0;
  for (const length of lengths) {
    links.write(page.subarray(at, at + length));
    at += length;
  }
  links.end(page.subarray(at));
  const out: Buffer[] = [];
  for await (const chunk of links) out.push(chunk as Buffer);
  return Buffer.concat(out).toString('utf8');
}

it.each([
  ['/a', '/p/proxy/a'],
  ['/', '/p/proxy/'],
  ['/a?b=/c#d', '/p/proxy/a?b=/c#d'],
  ['/p/proxy', '/p/proxy'],
  ['/p/proxy/a', '/p/proxy/a'],
  ['/p/proxy?a', '/p/proxy?a'],
  ['/p/proxying', '/p/proxy/p/proxying'],
  ['a/b', 'a/b'],
  ['', ''],
  ['#top', '#top'],
  ['?a=b', '?a=b'],
  ['http://10.0.0.1:80/a', '/p/proxy/a'],
  ['//10.0.0.1:80/a', '/p/proxy/a'],
  ['https://api:6443/a', '/p/proxy/a'],
  ['http://10.0.0.1:80', 'http://10.0.0.1:80'],
  ['http://elsewhere/a', 'http://elsewhere/a'],
  ['//elsewhere/a', '//elsewhere/a'],
  ['mailto:/a', 'mailto:/a'],
  ['javascript:x', 'javascript:x'],
])('a link to %s leads to %s', (url, expected) => {
  expect(rewrite(url)).toBe(expected);
});

const pages: readonly [string, string][] = [
  ['<a href="/x">t</a>', '<a href="/p/proxy/x">t</a>'],
  ["<A class=b HREF = '/x' id=1>", "<A class=b HREF = '/p/proxy/x' id=1>"],
  ['<a href=/x>', '<a href=/p/proxy/x>'],
  ['<img src="/i" alt=">" longdesc="/d"/>', '<img src="/p/proxy/i" alt=">" longdesc="/p/proxy/d"/>'],
  ['<form action="/f"><button formaction="/g">', '<form action="/p/proxy/f"><button formaction="/p/proxy/g">'],
  ['<div href="/x">', '<div href="/x">'],
  ['<a title="href=/x" data-href="/x">', '<a title="href=/x" data-href="/x">'],
  ['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="/p/proxy/y">'],
  ['<!DOCTYPE html><a href="/y">', '<!DOCTYPE html><a href="/p/proxy/y">'],
  [
    '<script src="/s">if (a<b) c("<a href=\'/x\'>")</script><a href="/y">',
    '<script src="/p/proxy/s">if (a<b) c("<a href=\'/x\'>")</script><a href="/p/proxy/y">',
  ],
  ['<title></titles><a href="/x"></title >', '<title></titles><a href="/x"></title >'],
  ['1 < 2 <a href="/x">', '1 < 2 <a href="/p/proxy/x">'],
  ['<constructor href="/x">', '<constructor href="/x">'],
  ['<a href="/äöü€">', '<a href="/p/proxy/äöü€">'],
  ['<a href="/x', '<a href="/x'],
  ['<', '<'],
  ['', ''],
];

it.each(pages)('%s', async (page, expected) => {
  expect(await through(Buffer.from(page))).toBe(expected);
});

it('does not depend on the pieces in which a page comes', async () => {
  const page = pages
    .map(([text]) => text)
    .filter((text) => text.endsWith('>'))
    .join('\n');
  const whole = await through(Buffer.from(page));
  const length = fc.integer({ min: 0, max: 9 });
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 150 }), async (lengths) => {
      expect(await through(Buffer.from(page), lengths)).toBe(whole);
    }),
    { numRuns: 100 },
  );
});

it('leaves alone what has no links, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(20)), async (bytes, lengths) => {
      const page = Buffer.from(bytes.filter((byte) => byte !== 0x3d));
      const links = new PageLinks(() => 'never');
      let at = 0;
      for (const length of lengths) {
        links.write(page.subarray(at, at + length));
        at += length;
      }
      links.end(page.subarray(at));
      const out: Buffer[] = [];
      for await (const chunk of links) out.push(chunk as Buffer);
      expect(Buffer.concat(out).equals(page)).toBe(true);
    }),
  );
});

it('does not hold back a tag that never ends', async () => {
  const page = `<a href="${'x'.repeat(200_000)}`;
  expect(await through(Buffer.from(page), new Array(100).fill(1000))).toBe(page);
  const many = '<a '.repeat(60_000);
  expect(await through(Buffer.from(many), new Array(50).fill(1000))).toBe(many);
});
