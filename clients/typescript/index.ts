// Names for what an application handles, over what is generated from the API's own document.
import type { components, paths } from "./openapi.js";

type Schemas = components["schemas"];

/** What is asked of one enrichment. */
export type EnrichRequest = Schemas["EnrichBody"];
/** What came of it: values with their provenance, what is missing, costs, stages. */
export type Enrichment = Schemas["EnrichResult"];
/** A value with confidence, source and alternatives. */
export type FieldValue = Schemas["FieldValue"];

/** What is asked of a LinkedIn profile's address. */
export type LinkedInProfileRequest =
  paths["/v1/enrich/linkedin-profile"]["post"]["requestBody"]["content"]["application/json"];
/** What is asked of a LinkedIn company page's address. */
export type LinkedInCompanyRequest =
  paths["/v1/enrich/linkedin-company"]["post"]["requestBody"]["content"]["application/json"];

/** How well a record fits the ideal customer profile, and why. */
export type IcpScore = Schemas["Score"];
/** One criterion of it. */
export type IcpReason = Schemas["Reason"];

export type Job = Schemas["JobOut"];
export type JobState = Schemas["JobState"];
export type NewJob = Schemas["JobIn"];
export type Batch = Schemas["BatchDetail"];
export type Row = Schemas["RowOut"];
/** Every error is one of these (RFC 9457); `code` is stable. */
export type Problem = Schemas["Problem"];

export type { components, operations, paths } from "./openapi.js";
