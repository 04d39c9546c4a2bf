// A strict OpenID Connect provider (npm's oidc-provider) on loopback, as the test's JSON on standard input says:
// {"module": …, "host": …, "port": …, "clients": […], "audience": …}. It prints one line when it listens.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createHash, generateKeyPairSync } from "node:crypto";

const settings = JSON.parse(readFileSync(0, "utf-8"));
const { Provider } = await import(settings.module);

const key = (type, options, more) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
    use: "sig",
    ...more,
});
const jwks = {
    keys: [
        key("rsa", { modulusLength: 2048 }, { kid: "rsa-1", alg: "RS256" }),
        key("ec", { namedCurve: "P-256" }, { kid: "ec-1", alg: "ES256" }),
    ],
};

const server = createServer();
await new Promise((listening) => server.listen(settings.port, settings.host, listening));
const issuer = `http://${settings.host}:${server.address().port}`;
// Our redirect addresses hold the issuer's key, which the port is part of.
const issuerKey = createHash("sha256").update(issuer).digest("hex").slice(0, 12);
const clients = JSON.parse(JSON.stringify(settings.clients).replaceAll("{issuer_key}", issuerKey));

const provider = new Provider(issuer, {
    clients,
    jwks,
    // Whoever types a name and any password is that person; every ID token holds an e-mail address that nobody
    // asked for.
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@mail.example` }) }),
    claims: { openid: ["sub", "email"] },
    conformIdTokenClaims: false,
    features: {
        devInteractions: { enabled: true },
        clientCredentials: { enabled: true },
        resourceIndicators: {
            enabled: true,
            defaultResource: () => undefined,
            getResourceServerInfo: (_, resource) => {
                if (resource !== settings.audience) throw new Error("no such resource");
                return {
                    scope: "flavours",
                    audience: settings.audience,
                    accessTokenFormat: "jwt",
                    accessTokenTTL: 600,
                    jwt: { sign: { alg: "ES256" } },
                };
            },
        },
    },
    pkce: { required: () => true },
    cookies: { keys: ["a key of a test"] },
    ttl: { AccessToken: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600, ClientCredentials: 600 },
});
server.on("request", provider.callback());
console.log(JSON.stringify({ issuer }));
