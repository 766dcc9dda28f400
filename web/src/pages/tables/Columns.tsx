/** What each column of a file is taken for, with its first values. */

import { useQuery } from "@tanstack/react-query";

import { api, told } from "../../api/client";
import { Panel } from "../../ui/layout";
import type { Preview } from "./sending";

/** What can be asked for, and what a column can be taken for. */
export function useFields() {
  return useQuery({
    queryKey: ["fields"],
    queryFn: () => told(api.GET("/v1/fields")),
    staleTime: Infinity,
    gcTime: Infinity,
  });
}

/** `company_phone` as people read it. */
export function titleOf(name: string): string {
  const words = name
    .replaceAll("_", " ")
    .replace(/\b(url|icp|sic|naics|id)\b/g, (one) => one.toUpperCase())
    .replace(/\blinkedin\b/g, "LinkedIn");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function Columns({
  found,
  map,
  onMap,
}: {
  found: Preview;
  map: Readonly<Record<string, string>>;
  onMap: (map: Record<string, string>) => void;
}) {
  const { data: known } = useFields();
  const words = Object.keys(known?.words ?? {});
  const names = (known?.fields ?? []).map((one) => one.name);
  return (
    <Panel
      title="2. Columns"
      flush
      aside={<span className="dim">What identifies each company or person, and what is known of it already.</span>}
    >
      {found.fault && (
        <p className="problem column-fault" role="alert">
          {found.fault}
        </p>
      )}
      <div className="table-scroll" role="region" aria-label="Columns" tabIndex={0}>
        <table className="table columns">
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Taken for</th>
              <th scope="col">First rows</th>
            </tr>
          </thead>
          <tbody>
            {found.columns.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <span className="truncate">{one.name}</span>
                </th>
                <td>
                  <select
                    className="input"
                    aria-label={`${one.name} is taken for`}
                    value={map[one.name] ?? one.taken_for ?? ""}
                    onChange={(event) => onMap({ ...map, [one.name]: event.target.value })}
                  >
                    <option value="">left alone, and carried along</option>
                    <optgroup label="Identifies">
                      {words.map((word) => (
                        <option key={word} value={word}>
                          {titleOf(word)}
                        </option>
                      ))}
                    </optgroup>
                    <optgroup label="Known already">
                      {names.map((name) => (
                        <option key={name} value={name}>
                          {titleOf(name)}
                        </option>
                      ))}
                    </optgroup>
                  </select>
                </td>
                <td>
                  <span className="truncate sample dim">{one.sample.filter(Boolean).join(" · ")}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
