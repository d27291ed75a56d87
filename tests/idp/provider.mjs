// A certified OpenID Provider (npm oidc-provider) that serves HTTPS on 127.0.0.1, for tests.
//
//     node provider.mjs SETTINGS.json
//
// Its clients ask for tokens in their own name (grant client_credentials). A request that names one
// of the resources (RFC 8707) gets a JWT for that resource's audience, with the client's claims
// beside the registered ones; a request that names none gets an opaque token.
//
// The first line on standard output is the issuer's URL, written once it answers. Signing keys are
// made at start and never kept, so stopping it and starting it again on the same port is a key
// rotation in its hardest form: the same issuer, new key IDs, and the old keys withdrawn.
//
// Settings:
//
//     port             0 for a free one
//     certificateFile  PEM, good for 127.0.0.1
//     privateKeyFile   PEM
//     clients          {id: {secret, claims}}
//     resources        {URI: {audience, lifetimeSeconds}}

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { Provider, errors } from 'oidc-provider';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const server = createServer({
  cert: readFileSync(settings.certificateFile),
  key: readFileSync(settings.privateKeyFile),
});
server.listen(settings.port, '127.0.0.1');
await once(server, 'listening');

const issuer = `https://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: Object.entries(settings.clients).map(([id, { secret }]) => ({
    client_id: id,
    client_secret: secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })),
  cookies: { keys: ['of no use: nobody logs in here with a browser'] },
  extraTokenClaims: (_ctx, token) => settings.clients[token.clientId].claims,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, uri) => resourceServer(settings.resources[uri]),
    },
  },
  jwks: { keys: [signingKey()] },
});
server.on('request', provider.callback());
console.log(issuer);

/** What the provider shall do for a resource; it words the refusal of one that it does not know. */
function resourceServer(resource) {
  if (!resource) throw new errors.InvalidTarget();
  return {
    scope: '',
    audience: resource.audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: resource.lifetimeSeconds,
    jwt: { sign: { alg: 'RS256' } },
  };
}

/** A new key. The provider gives it its key ID, which is its thumbprint (RFC 7638). */
function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' };
}
