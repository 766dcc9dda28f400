// Says whether the official library verifies one message: {secret, body, headers} on standard input.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, body, headers } = JSON.parse(readFileSync(0, "utf8"));
let verdict = "verified";
try {
  new Webhook(secret).verify(body, headers);
} catch {
  verdict = "refused";
}
console.log(verdict);
