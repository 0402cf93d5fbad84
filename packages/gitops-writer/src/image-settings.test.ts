import { readEnv } from '@fairway/core';
import { expect, it } from 'vitest';
import { IMAGE_ENV, openImages } from './image-settings.ts';

const open = (given: Record<string, string>) =>
  openImages(readEnv({ IMAGE_REPOSITORY: 'registry.example.com/models', ...given }, IMAGE_ENV));

it('puts images into the layout when there is one, otherwise into the registry that their names begin with', () => {
  expect(open({ IMAGE_LAYOUT: '/images', IMAGE_REPOSITORY: 'models' }).name).toBe('the image layout (IMAGE_LAYOUT)');
  expect(open({}).name).toBe('its registry');
  expect(open({ IMAGE_REPOSITORY: 'registry.example.com' }).name).toBe('its registry');
  expect(open({ IMAGE_REPOSITORY: 'localhost:5000/a/b', REGISTRY_PLAIN_HTTP: 'true' }).name).toBe('its registry');
  expect(
    open({ REGISTRY_USER: 'u', REGISTRY_PASSWORD: 'secret-word', REGISTRY_CA_FILE: import.meta.filename }).name,
  ).toBe('its registry');
});

it.each([
  [{ IMAGE_REPOSITORY: 'models' }, /IMAGE_REPOSITORY names no registry: .* or set IMAGE_LAYOUT/],
  [
    { IMAGE_REPOSITORY: 'https://registry.example.com/models' },
    /IMAGE_REPOSITORY names no registry: .*without https:\/\//,
  ],
  [{ IMAGE_REPOSITORY: 'registry.example.com/Models' }, /in lower case/],
  [
    { REGISTRY_PLAIN_HTTP: 'true' },
    /REGISTRY_PLAIN_HTTP is for registries on this machine, and IMAGE_REPOSITORY names registry\.example\.com/,
  ],
  [{ REGISTRY_USER: 'u' }, /REGISTRY_USER and REGISTRY_PASSWORD belong together/],
  [{ REGISTRY_PASSWORD: 'secret-word' }, /^(?!.*secret-word).*belong together/s],
  [{ REGISTRY_AUTH_FILE: '/none/c.json', REGISTRY_USER: 'u', REGISTRY_PASSWORD: 'p' }, /both say who we are/],
  [
    { REGISTRY_AUTH_FILE: '/none/c.json' },
    /REGISTRY_AUTH_FILE \(config\.json of Docker.*cannot be read at \/none\/c\.json: ENOENT/,
  ],
  [{ REGISTRY_CA_FILE: '/none/ca.pem' }, /REGISTRY_CA_FILE .*ENOENT/],
  [
    { IMAGE_LAYOUT: '/images', REGISTRY_CA_FILE: '/ca.pem', REGISTRY_PLAIN_HTTP: 'true' },
    /REGISTRY_CA_FILE, REGISTRY_PLAIN_HTTP cannot be used with IMAGE_LAYOUT/,
  ],
])('refuses %j in a sentence', (given, sentence) => {
  expect(() => open(given as unknown as Record<string, string>)).toThrow(sentence);
});

it('tells all that is wrong at once', () => {
  expect(() => open({ IMAGE_REPOSITORY: 'models', REGISTRY_USER: 'u' })).toThrow(/IMAGE_REPOSITORY.*\n.*REGISTRY_USER/);
});
