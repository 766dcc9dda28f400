/** What the API process was started with; secrets only as whether they are set. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, told } from "../../api/client";
import { Word } from "../../ui/filters";
import { Badge, Panel } from "../../ui/layout";
import { Empty, Shown } from "../../ui/states";
import { DataTable, type Column } from "../../ui/table";

type Setting = [name: string, value: unknown];

export function Installation() {
  const [asked, setAsked] = useState("");
  const found = useQuery({ queryKey: ["settings"], queryFn: () => told(api.GET("/v1/settings")), staleTime: Infinity });
  return (
    <Panel title="Settings of the installation" aside={<p>set in its environment, as docs/settings.md says; read here alone</p>} flush>
      <Shown query={found}>
        {(all) => (
          <>
            <search className="filters">
              <Word label="Search settings" wide placeholder="part of a name" value={asked} onChange={(text) => setAsked(text ?? "")} />
            </search>
            <DataTable
              label="Settings of the installation"
              columns={COLUMNS}
              rows={Object.entries(all).filter(([name]) => name.includes(asked.toLowerCase().replaceAll(" ", "_")))}
              rowKey={([name]) => name}
              empty={<Empty title="No such setting" />}
            />
          </>
        )}
      </Shown>
    </Panel>
  );
}

const COLUMNS: readonly Column<Setting>[] = [
  { id: "name", title: "Setting", cell: ([name]) => <code>{name}</code> },
  { id: "value", title: "Value", cell: ([, value]) => <Value of={value} /> },
];

function isSecret(value: unknown): value is { set: boolean } {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "set";
}

function Value({ of }: { of: unknown }) {
  if (isSecret(of)) return <Badge tone={of.set ? "good" : "calm"}>{of.set ? "a secret, set" : "a secret, not set"}</Badge>;
  if (of === null || of === "") return <span className="dim">not set</span>;
  if (typeof of === "object" && Object.keys(of).length === 0) return <span className="dim">none</span>;
  if (Array.isArray(of)) return <span className="value">{of.join(", ")}</span>;
  return <span className="value">{typeof of === "string" ? of : JSON.stringify(of)}</span>;
}
