import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigurationError, readConfiguration } from './read.ts';

const HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';

it('reads what it is told, and nothing else', () => {
  const text = `${HEAD}maxPods: 30\nevictionHard:\n  memory.available: 1Gi\nstaticPodPath: /etc/kubernetes/manifests\n`;
  expect(readConfiguration(text)).toEqual({
    maxPods: 30,
    evictionHard: { 'memory.available': '1Gi' },
    staticPodPath: '/etc/kubernetes/manifests',
  });
});

it.each([
  ['another kind', 'apiVersion: v1\nkind: Pod', /no KubeletConfiguration/],
  ['no object', '- a', /no object/],
  ['no YAML', '{', ConfigurationError],
  ['a field that is not heeded', `${HEAD}rotateCertificates: true`, /unknown field "rotateCertificates"/],
  ['a number that is none', `${HEAD}maxPods: many`, /maxPods: must be a number/],
  ['no duration', `${HEAD}imageMinimumGCAge: soon`, /"soon" is no duration/],
  ['marks the wrong way round', `${HEAD}imageGCLowThresholdPercent: 90`, /less than imageGCHighThresholdPercent/],
  ['a threshold that is none', `${HEAD}evictionHard: { x: "1" }`, /unsupported eviction signal x/],
] as const)('refuses %s', (_what, text, message) => {
  expect(() => readConfiguration(text)).toThrow(message);
});

it('never fails in another way', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (text, value) => {
      for (const input of [text, HEAD + text, `${HEAD}maxPods: ${JSON.stringify(value)}`]) {
        try {
          readConfiguration(input);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
        }
      }
    }),
  );
});
