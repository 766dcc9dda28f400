// Enriches one website: API_URL=... GLAZE_KEY=... node out/enrich.js example.com
import createClient from "openapi-fetch";

import type { Enrichment, FieldValue, Problem } from "./index.js";
import type { paths } from "./openapi.js";

const glaze = createClient<paths>({
  baseUrl: process.env["API_URL"] ?? "http://127.0.0.1:3001",
  headers: { Authorization: `Bearer ${process.env["GLAZE_KEY"] ?? ""}` },
});

function fail(problem: Problem): never {
  throw new Error(`${problem.code}: ${problem.detail}`);
}

async function enriched(url: string): Promise<Enrichment> {
  const asked = await glaze.POST("/v1/enrich", {
    body: { url, required_fields: ["company_name", "company_phone"], wait_s: 30 },
  });
  if (asked.error) fail(asked.error);
  let job = asked.data;
  while (!job.finished_at) {
    const followed = await glaze.GET("/v1/jobs/{job_id}", { params: { path: { job_id: job.id } } });
    if (followed.error) fail(followed.error);
    job = followed.data;
    await new Promise((done) => setTimeout(done, 500));
  }
  return job.result as Enrichment;
}

const site = process.argv[2];
if (!site) throw new Error("which website?");
const result = await enriched(site);
const name: FieldValue | undefined = result.data["company_name"];
console.log(JSON.stringify({ status: result.status, name: name?.value, source: name?.source }));
const refused = await glaze.GET("/v1/jobs/{job_id}", { params: { path: { job_id: 999999999 } } });
console.log(refused.error?.code);
