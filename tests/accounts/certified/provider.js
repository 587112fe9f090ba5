// A certified OpenID provider on this machine: `node provider.js PORTAL_URL LEVEL`.
//
// It prints its issuer on one line and serves until it is stopped. Whoever comes there says who they
// are at `/interaction/...` by a form with the field `sub`, at the level of assurance LEVEL.

import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import Provider, { interactionPolicy } from "oidc-provider";

const [portal, level] = process.argv.slice(2);

const server = createServer().listen(0, "localhost");
await once(server, "listening");
const issuer = `http://localhost:${server.address().port}`;

// Whoever signs in agrees to be known to the portal: no second question.
const policy = interactionPolicy.base();
policy.remove("consent");

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "portal",
      client_secret: "kept",
      redirect_uris: [`${portal}/sign-in/gckey/callback/`],
      post_logout_redirect_uris: [`${portal}/signed-out/`],
      backchannel_logout_uri: `${portal}/sign-in/gckey/signed-out/`,
      backchannel_logout_session_required: true,
    },
  ],
  acrValues: [level],
  claims: {
    openid: ["sub"],
    profile: ["given_name", "family_name", "locale"],
    email: ["email", "email_verified"],
    acr: null,
    auth_time: null,
    sid: null,
  },
  pkce: { required: () => true },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: false },
  },
  interactions: { policy, url: (_context, { uid }) => `/interaction/${uid}` },
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      email: `${sub}@example.ca`,
      email_verified: true,
      given_name: "Carol",
      family_name: "Roy",
      locale: "fr-CA",
    }),
  }),
  loadExistingGrant: async (context) => {
    const { client, session, provider } = context.oidc;
    const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
  // The portal stands on this machine, where the provider would not go by itself.
  fetch: (address, { dispatcher, ...asked }) => fetch(address, asked),
  cookies: { keys: ["only for a test"] },
});

const answer = provider.callback();
server.on("request", async (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  if (request.method !== "POST") return response.end("sub?");
  const accountId = new URLSearchParams(await text(request)).get("sub");
  const login = { accountId, acr: level };
  return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
});

console.log(issuer);
