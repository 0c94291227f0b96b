// Asks the browser's authenticator, puts its answer into the form and sends it. Everything else works without scripts.
"use strict";

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function descriptors(ids) {
  return ids.map((id) => ({ type: "public-key", id: bytes(id) }));
}

async function signed(asked) {
  const found = await navigator.credentials.get({
    publicKey: {
      challenge: bytes(asked.challenge),
      rpId: asked.rp,
      allowCredentials: descriptors(asked.credentials),
      userVerification: "required",
      timeout: 300000,
    },
  });
  return {
    id: found.id,
    client_data: text(found.response.clientDataJSON),
    authenticator_data: text(found.response.authenticatorData),
    signature: text(found.response.signature),
  };
}

async function made(asked) {
  const found = await navigator.credentials.create({
    publicKey: {
      challenge: bytes(asked.challenge),
      rp: { id: asked.rp, name: "mcp-migrate" },
      user: { id: bytes(asked.user), name: asked.name, displayName: asked.name },
      pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: descriptors(asked.credentials),
      authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
      attestation: "none",
      timeout: 300000,
    },
  });
  return {
    id: found.id,
    rawId: found.id,
    type: found.type,
    response: {
      clientDataJSON: text(found.response.clientDataJSON),
      attestationObject: text(found.response.attestationObject),
    },
  };
}

for (const form of document.querySelectorAll("form[data-asked]")) {
  const button = form.querySelector("button");
  const told = form.querySelector("output");
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.textContent = "Follow what your browser or security key asks.";
    try {
      const asked = JSON.parse(form.dataset.asked);
      const answer = await (form.dataset.kind === "make" ? made(asked) : signed(asked));
      form.querySelector("[name=answer]").value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      told.textContent = `Nothing was signed: ${error.message}`;
      button.disabled = false;
    }
  });
}
