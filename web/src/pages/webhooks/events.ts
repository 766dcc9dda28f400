/** What endpoints can be told, by family. */

export const EVERYTHING = "*";
export const FAMILIES = [
  {
    all: "job.*",
    title: "Jobs",
    types: ["job.created", "job.progress", "job.completed", "job.partial", "job.failed", "job.dead", "job.cancelled"],
  },
  { all: "batch.*", title: "Tables", types: ["batch.progress", "batch.completed", "batch.cancelled"] },
  {
    all: "search.*",
    title: "Searches",
    types: [
      "search.created",
      "search.preview",
      "search.paid",
      "search.enriching",
      "search.ready",
      "search.failed",
      "search.refunded",
    ],
  },
] as const;
