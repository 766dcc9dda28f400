/** A table as a file, with or without where each value came from. */

import { useState } from "react";

import { Button, Segments } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { formatNumber } from "../../ui/format";
import type { Batch } from "./Progress";

const FORMATS = [
  { value: "csv", label: "CSV" },
  { value: "xlsx", label: "XLSX" },
  { value: "parquet", label: "Parquet" },
  { value: "jsonl", label: "JSONL" },
] as const;

export function ExportDialog({ batch, onClose }: { batch: Batch; onClose: () => void }) {
  const [format, setFormat] = useState<(typeof FORMATS)[number]["value"]>("csv");
  const [provenance, setProvenance] = useState(false);
  const address = `/v1/batches/${batch.id}/export?format=${format}&provenance=${provenance}`;
  return (
    <Dialog title="Export" onClose={onClose}>
      <div className="stack">
        <Segments label="Format" options={FORMATS} value={format} onChange={setFormat} />
        <label className="check">
          <input type="checkbox" checked={provenance} onChange={(event) => setProvenance(event.target.checked)} />
          With provenance: confidence, source, page and cost beside each value
        </label>
        <p className="dim">
          All {formatNumber(batch.total)} rows as they stand now.{" "}
          {format === "csv" && "What a spreadsheet would run as a formula is defused."}
        </p>
        <div className="actions">
          <Button onClick={onClose}>Close</Button>
          <a className="button primary" href={address} download={`table-${batch.id}.${format}`}>
            Download {format.toUpperCase()}
          </a>
        </div>
      </div>
    </Dialog>
  );
}
